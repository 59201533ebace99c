/**
 * One writer per upload at a time, across workers and replicas. The claim lives in the upload's row and is renewed while
 * bytes come; a writer that cannot renew stops by itself before anyone else may take over.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ObjectMissing } from '../blobs/store.ts';
import {
  CLAIM_SECONDS,
  claimUpload,
  deleteUpload,
  releaseUpload,
  renewClaim,
  selectUpload,
  type ClaimedRow,
  type UploadRow,
} from './queries/uploads.ts';
import { Refusal } from './refusal.ts';
import type { Registry } from './registry.ts';
import { busyUpload, lostUpload, unknownUpload } from './upload-refusals.ts';

/** A client that was cut and comes back at once meets its own former request, which is still making its bytes durable. */
const PATIENCE_MS = 3_000;
const RETRY_MS = 100;
const RELEASE_RETRY_MS = 500;
const RENEW_MS = 15_000;
/** Safely before CLAIM_SECONDS, by the monotonic clock. */
const GIVE_UP_MS = (CLAIM_SECONDS - 15) * 1000;

export interface Claim {
  readonly token: string;
  /** Set by whoever ended the claim together with the row's next state. */
  released: boolean;
  /** @throws {Refusal} UPLOAD_LOST when the claim may not be ours any more */
  check(): void;
}

/**
 * Runs `work` as the upload's only writer and gives the claim back afterwards, whatever happened.
 * @throws {Refusal} UPLOAD_UNKNOWN, UPLOAD_BUSY
 */
export async function withClaim<T>(
  registry: Registry,
  address: { id: string; repositoryId: number; principalId: number },
  work: (row: ClaimedRow, claim: Claim) => Promise<T>,
): Promise<T> {
  const token = randomUUID();
  const claimed = await claim(registry, address, token);
  const { row } = claimed;
  let renewed = claimed.asked;
  let lost = false;
  const timer = setInterval(() => {
    const asked = performance.now();
    renewClaim(registry.db, row.id, token).then(
      (ours) => {
        if (ours) renewed = asked;
        else lost = true;
      },
      () => {},
    );
  }, RENEW_MS);
  const held: Claim = {
    token,
    released: false,
    check() {
      if (lost || performance.now() - renewed > GIVE_UP_MS) throw lostUpload();
    },
  };
  try {
    return await work(row, held);
  } catch (error) {
    // Nobody goes on with it, and what it has would take room from others.
    if (error instanceof Refusal && error.code === 'QUOTA_EXCEEDED') {
      held.released = await deleteUpload(registry.db, address, token, 'over quota');
    }
    if (!(error instanceof ObjectMissing)) throw error;
    // The store cannot go on from what the row remembers; the client has to start again, and is told so.
    held.released = await deleteUpload(registry.db, address, token, 'bytes are gone');
    throw unknownUpload();
  } finally {
    clearInterval(timer);
    if (!held.released) await release(registry, row.id, token);
  }
}

/**
 * Gives a claim back. When Postgres cannot be reached it keeps trying for as long as the claim would hold, without keeping
 * the request: its client will come back, and must not find its own upload taken.
 */
async function release(registry: Registry, id: string, token: string): Promise<void> {
  const deadline = performance.now() + CLAIM_SECONDS * 1000;
  const attempt = async (): Promise<boolean> =>
    releaseUpload(registry.db, id, token).then(
      () => true,
      () => false,
    );
  if (await attempt()) return;
  void (async () => {
    do await delay(RELEASE_RETRY_MS, undefined, { ref: false });
    while (!(await attempt()) && performance.now() < deadline);
  })();
}

/**
 * The upload as its last writer left it. While one is at work the answer waits a little: a client that was cut and asks
 * how far it came wants to hear what its former request is just saving.
 * @throws {Refusal} UPLOAD_UNKNOWN
 */
export async function settledUpload(
  registry: Registry,
  address: { id: string; repositoryId: number; principalId: number },
): Promise<UploadRow> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const row = await selectUpload(registry.db, address);
    if (!row) throw unknownUpload();
    if (!row.claimed || performance.now() > deadline) return row;
    await delay(RETRY_MS);
  }
}

async function claim(
  registry: Registry,
  address: { id: string; repositoryId: number; principalId: number },
  token: string,
): Promise<{ row: ClaimedRow; asked: number }> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const asked = performance.now();
    const row = await claimUpload(registry.db, address, token, registry.worker);
    if (row) return { row, asked };
    if (!(await selectUpload(registry.db, address))) throw unknownUpload();
    if (performance.now() > deadline) throw busyUpload();
    await delay(RETRY_MS);
  }
}
