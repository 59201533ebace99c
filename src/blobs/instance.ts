/** The store and Postgres belong together; mixing two hubs up would lose data quietly, so it is refused loudly. */
import type { Database } from '../db/database.ts';
import { INSTANCE_KEY } from './keys.ts';
import { selectInstanceId } from './queries.ts';
import { ObjectMissing, type BlobStore } from './store.ts';

/**
 * Marks a new store with the hub's id, or checks the mark. One process does so before any other uses the store.
 * @throws when the store belongs to another hub, or was replaced by an empty one
 */
export async function checkInstance(db: Database, store: BlobStore, hasBlobs: boolean): Promise<void> {
  const id = await selectInstanceId(db);
  const mark = await readMark(store);
  // A hub that was killed while it wrote the mark leaves a shorter one.
  const found = mark?.length === id.length ? mark : undefined;
  if (found === id) return;
  if (found !== undefined) {
    throw new Error(
      `The store holds the bytes of hub ${found}, but this Postgres belongs to hub ${id}. Configure the pair that belongs together.`,
    );
  }
  if (hasBlobs) {
    throw new Error(
      `Postgres of hub ${id} lists blobs, but the store has no mark of it: the store is another one, or empty.`,
    );
  }
  try {
    await using writer = await store.write({ key: INSTANCE_KEY, size: 0, state: null }, id.length);
    await writer.write(Buffer.from(id));
    await writer.finish();
  } catch (error) {
    // Workers and replicas start together; another one may have been faster.
    if ((await readMark(store)) !== id) throw error;
  }
}

/** The id of the hub that a store belongs to, or undefined when it is new. */
export async function readMark(store: BlobStore): Promise<string | undefined> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of store.read(INSTANCE_KEY)) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString().trim();
  } catch (error) {
    if (error instanceof ObjectMissing) return undefined;
    throw error;
  }
}
