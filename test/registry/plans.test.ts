/** Queries of the busy requests are planned once for a connection: planning them takes several times as long as answering them. */
import { expect, it } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { selectMountCandidates } from '../../src/registry/queries/blobs.ts';
import { selectKnownBlobs } from '../../src/registry/queries/manifests.ts';
import { selectScenes } from '../../src/registry/queries/scene.ts';
import { testDatabase } from '../harness/database.ts';

/** Postgres compares plans before it settles for one that fits all parameters. */
const COMPARED = 5;
const ROUNDS = 20;
const PLANNED_ONCE = [{ generic: ROUNDS - COMPARED, custom: COMPARED }];

const { another } = await testDatabase();

it.each([1, 40])('the scene, for %d questions at a time', async (count) => {
  const db = another(1);
  const questions = Array.from({ length: count }, (_, n) => ({ path: `team/app${n}`, principalId: 0 }));
  for (let round = 0; round < ROUNDS; round++) {
    const rows = await selectScenes(db, questions);
    expect(rows.map((row) => row.asked)).toEqual(questions.map(({ path }) => path));
  }
  expect(await plansOf(db, 'as asked')).toEqual(PLANNED_ONCE);
});

it.each([1, 2, 40])('what a manifest refers to, %d blobs', async (count) => {
  const db = another(1);
  const digests = Array.from({ length: count }, (_, n) => Buffer.alloc(33, n));
  for (let round = 0; round < ROUNDS; round++) expect(await selectKnownBlobs(db, 1, digests)).toEqual([]);
  expect(await plansOf(db, 'select w.name')).toEqual(PLANNED_ONCE);
});

it('the place that a blob is mounted from', async () => {
  const db = another(1);
  const from = { fromId: 1, projectId: 1, limit: 50 };
  for (let round = 0; round < ROUNDS; round++) {
    expect(await selectMountCandidates(db, Buffer.alloc(33, 1), from)).toEqual([]);
  }
  expect(await plansOf(db, 'rb.blob_id from repositories')).toEqual(PLANNED_ONCE);
});

async function plansOf(db: Database, text: string): Promise<{ generic: number; custom: number }[]> {
  const { rows } = await db.pool.query<{ generic: number; custom: number }>(
    `select generic_plans as generic, custom_plans as custom from pg_prepared_statements where statement like $1`,
    [`%${text}%`],
  );
  return rows;
}
