/** The index is asked for by every helm, Flux and Renovate over and over: what one request costs must not grow with what it lists. */
import { expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { chart } from './charts.ts';
import { type Classic, classic } from './client.ts';

const hub = await testHub();

/** Statements that the hub sends to Postgres while `work` runs. */
async function countStatements(work: () => Promise<unknown>): Promise<number> {
  const { pool } = hub.context.db;
  let count = 0;
  const query = pool.query.bind(pool);
  pool.query = ((...args: Parameters<typeof query>) => {
    count += 1;
    return query(...args);
  }) as typeof pool.query;
  try {
    await work();
  } finally {
    pool.query = query;
  }
  return count;
}

async function fill(door: Classic, charts: number, versions: number): Promise<void> {
  for (let n = 0; n < charts; n += 1) {
    for (let v = 0; v < versions; v += 1)
      await door.upload((await chart({ name: `c${n}`, version: `1.0.${v}` })).bytes);
  }
}

it('an index costs as many statements for many charts as for one, remembered or not', async () => {
  const one = classic(hub, `${await hub.project()}/charts`);
  const many = classic(hub, `${await hub.project()}/charts`);
  await fill(one, 1, 1);
  await fill(many, 25, 2);

  const costs = async (door: Classic) => ({
    first: await countStatements(() => door.index()),
    again: await countStatements(() => door.index()),
  });
  const [cheap, dear] = [await costs(one), await costs(many)];
  expect(dear).toEqual(cheap);
  expect(cheap.first).toBeGreaterThan(0);
  expect(cheap.again).toBeLessThanOrEqual(cheap.first);
});

it('after a push only what changed is read, by as many statements as before', async () => {
  const door = classic(hub, `${await hub.project()}/charts`);
  await fill(door, 10, 2);
  await door.index();
  const costs = [];
  for (const name of ['c3', 'new']) {
    await door.upload((await chart({ name, version: '2.0.0' })).bytes);
    costs.push(await countStatements(() => door.index()));
    expect((await door.index()).entries[name]?.[0]?.version).toBe('2.0.0');
  }
  expect(costs[1]).toBe(costs[0]);
  expect(costs[0]).toBeLessThanOrEqual(6);
});

it('what is seen of an index by someone with rights to a part of it costs no statement a chart either', async () => {
  const person = await hub.person();
  const [few, many] = [await hub.project(), await hub.project()];
  const costs = [];
  for (const [project, charts] of [
    [few, 2],
    [many, 20],
  ] as const) {
    await fill(classic(hub, `${project}/charts`), charts, 1);
    await hub.api('PUT', `/projects/${project}/grants`, {
      subject: person.name,
      role: 'reader',
      path_glob: 'charts/c1*',
    });
    const door = classic(hub, `${project}/charts`, person.credentials);
    await door.index();
    costs.push(await countStatements(() => door.index()));
    expect(Object.keys((await door.index()).entries).every((name) => name.startsWith('c1'))).toBe(true);
  }
  expect(costs[1]).toBe(costs[0]);
});
