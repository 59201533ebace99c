/** Whether a store works, found out by using it. */
import { randomBytes } from 'node:crypto';
import { newKey } from './keys.ts';
import { StoreUnavailable, type BlobStore } from './store.ts';

/**
 * Writes, reads and deletes a small object.
 * @throws {StoreUnavailable} with what went wrong as its cause
 */
export async function probe(store: BlobStore): Promise<void> {
  const key = newKey();
  const bytes = randomBytes(32);
  try {
    await using writer = await store.write({ key, size: 0, state: null }, bytes.length);
    await writer.write(Buffer.from(bytes));
    await writer.finish();
    const chunks: Buffer[] = [];
    for await (const chunk of store.read(key)) chunks.push(Buffer.from(chunk));
    if (!Buffer.concat(chunks).equals(bytes)) throw new StoreUnavailable('the probe came back with other bytes');
    await store.delete(key);
  } catch (error) {
    // The probe belongs to no row, so nobody else would ever remove it.
    await store.delete(key).catch(() => undefined);
    if (error instanceof StoreUnavailable) throw error;
    throw new StoreUnavailable(`the store does not work: ${(error as Error).message}`, { cause: error });
  }
}
