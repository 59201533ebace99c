/** The query that every request makes is planned once for a connection: planning it takes six times as long as answering it. */
import { expect, it } from 'vitest';
import { selectScenes } from '../../src/registry/queries/scene.ts';
import { testDatabase } from '../harness/database.ts';

/** Postgres compares plans before it settles for one that fits all parameters. */
const COMPARED = 5;

const { another } = await testDatabase();

it.each([1, 40])('for %d questions at a time', async (count) => {
  const db = another(1);
  const questions = Array.from({ length: count }, (_, n) => ({ path: `team/app${n}`, principalId: 0 }));
  const rounds = 20;
  for (let round = 0; round < rounds; round++) {
    const rows = await selectScenes(db, questions);
    expect(rows.map((row) => row.asked)).toEqual(questions.map(({ path }) => path));
  }
  const { rows } = await db.pool.query<{ generic: number; custom: number }>(`
    select generic_plans as generic, custom_plans as custom from pg_prepared_statements where statement like '%as asked%'`);
  expect(rows).toEqual([{ generic: rounds - COMPARED, custom: COMPARED }]);
});
