import { randomBytes } from 'node:crypto';
import sql from 'sql-template-tag';
import { expect, it } from 'vitest';
import { listUnlistedCharts, readPushedChart } from '../../src/registry/charts/jobs.ts';
import { READ_CHART } from '../../src/registry/charts/limits.ts';
import { testHub } from '../harness/hub.ts';
import { chart, pushWithHelm } from './charts.ts';
import { classic } from './client.ts';

const hub = await testHub();
const { registry } = hub.context;

async function place() {
  const namespace = `${await hub.project()}/charts`;
  const door = classic(hub, namespace);
  const listed = async () => ((await door.index()).entries['web'] ?? []).map((entry) => entry.version);
  return { door, repo: hub.admin.repo(`${namespace}/web`), listed };
}

/** More than is read while a client waits. */
const large = () => chart({ files: { 'a.bin': randomBytes(2.5 * 2 ** 20), 'b.bin': randomBytes(2.5 * 2 ** 20) } });

it('a large chart that helm pushed is listed by a job', async () => {
  const { repo, listed } = await place();
  const packed = await large();
  await pushWithHelm(repo, packed);
  expect(await listed()).toEqual([]);
  const jobs = await hub.db.query<{ payload: { manifestId: number } }>(sql`
    select payload from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
    where t.identifier = ${READ_CHART}`);
  expect(jobs).toHaveLength(1);
  for (let twice = 0; twice < 2; twice++) await readPushedChart(registry, jobs[0]!.payload.manifestId);
  expect(await listed()).toEqual(['1.2.3']);
  // What was read once is known when it comes again.
  await repo.deleteManifest('1.2.3');
  await pushWithHelm(repo, packed);
  expect(await listed()).toEqual(['1.2.3']);
});

it('a large chart that was uploaded is listed at once', async () => {
  const { door, listed } = await place();
  expect((await door.upload((await large()).bytes)).status).toBe(201);
  expect(await listed()).toEqual(['1.2.3']);
});

it('charts that an earlier version of the hub took are found and listed', async () => {
  const { repo, listed } = await place();
  await pushWithHelm(repo, await chart());
  await pushWithHelm(repo, await chart(), { tag: '9.9.9' });
  await hub.db.query(sql`delete from chart_versions`);
  expect(await listed()).toEqual([]);
  await listUnlistedCharts(registry);
  expect(await listed()).toEqual(['1.2.3']);
});

it('a chart whose repository is gone is not listed any more', async () => {
  const { door, listed } = await place();
  await door.upload((await chart()).bytes);
  expect(await listed()).toEqual(['1.2.3']);
  await hub.db.query(sql`delete from charts where name = 'web'`);
  expect(await listed()).toEqual([]);
});
