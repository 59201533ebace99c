/** What the operating system says, in the words of the store interface. */
import { ObjectMissing, StoreFull, StoreUnavailable } from './store.ts';

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/**
 * ENOENT becomes `ObjectMissing`, a full disk or quota `StoreFull`, every other system error (EIO, EMFILE, EROFS,
 * EACCES, ...) `StoreUnavailable`. Anything that is not a system error is returned as it is.
 */
export function diskError(error: unknown, doing: string): Error {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string' || typeof syscall !== 'string') return error as Error;
  const text = `${doing}: ${message}`;
  if (code === 'ENOENT') return new ObjectMissing(text, { cause: error });
  if (FULL.has(code)) return new StoreFull(text, { cause: error });
  return new StoreUnavailable(text, { cause: error });
}
