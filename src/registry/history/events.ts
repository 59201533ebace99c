/** What the time machine did, in the outbox. */
import type { Principal } from '../../auth/principal.ts';
import type { Digest } from '../../blobs/digest.ts';
import type { Transaction } from '../../db/database.ts';
import { recordEvent } from '../../jobs/outbox.ts';
import type { Repository } from '../repositories.ts';

export interface Doing {
  readonly repository: Repository;
  readonly principal: Principal;
  readonly requestId: string;
}

/** One manifest that came back, with the tags that it was given back. */
export function recordRestored(
  tx: Transaction,
  doing: Doing,
  { digest, kind, tags }: { readonly digest: Digest; readonly kind: string; readonly tags: readonly string[] },
): Promise<void> {
  return recordDone(tx, doing, 'manifest.restored', { digest, kind, tags });
}

export function recordDone(
  tx: Transaction,
  {
    repository,
    principal,
    requestId,
  }: Pick<Doing, 'principal' | 'requestId'> & {
    readonly repository: Pick<Repository, 'id' | 'projectId'>;
  },
  type: string,
  data: Record<string, unknown>,
): Promise<void> {
  const { id: repositoryId, projectId } = repository;
  return recordEvent(tx, { type, actorId: principal.id, projectId, repositoryId, requestId, data });
}
