/** Rows of deleted repositories go when nothing is left of what was in them. */
import type { Database } from '../../db/database.ts';
import { forgetEmptied } from '../queries/repository-delete.ts';

const BATCH = 200;

export async function forgetRepositories(db: Database): Promise<void> {
  while ((await db.transaction((tx) => forgetEmptied(tx, null, BATCH))) === BATCH);
}
