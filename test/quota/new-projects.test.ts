import { expect, it } from 'vitest';
import { foldUsage } from '../../src/registry/quota/fold.ts';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, image } from '../harness/oci-client.ts';
import { expectExact, expectRefused, limit, quotaOf } from './harness.ts';

const hub = await testHub({ config: { projectQuota: 5_000 } });

it('BERTH_PROJECT_QUOTA limits projects from their first push on, however they are made', async () => {
  const owner = await hub.person();
  const pushed = owner.client.repo(`by-push-${owner.name}/app`);
  await pushed.mustPush(blob(4_000));
  expectRefused(await pushed.post({ digest: blob(2_000).digest }, { body: blob(2_000).bytes }));
  expect(await expectExact(hub, `by-push-${owner.name}`)).toMatchObject({ max_bytes: 5_000, used_bytes: 4_000 });
  const first = owner.client.repo(`too-large-${owner.name}/app`);
  expectRefused(await first.post({ digest: blob(6_000).digest }, { body: blob(6_000).bytes }));
  expect(await quotaOf(hub, await hub.project())).toMatchObject({ max_bytes: 5_000, max_artifacts: null });
});

it('what was pushed without a limit is folded while it grows, and the sum is the same at any time', async () => {
  const project = await hub.project();
  await limit(hub, project, {});
  const repo = hub.admin.repo(`${project}/app`);
  const deltas = async () => {
    const { rows } = await hub.db.pool.query<{ n: number }>(
      `select count(*)::int as n from project_usage_deltas where project_id = (select id from projects where name = $1)`,
      [project],
    );
    return rows[0]!.n;
  };
  const images = Array.from({ length: 10 }, () => image());
  await Promise.all([
    ...images.map((one, at) => repo.mustPushImage(one, `v${at}`)),
    ...images.map(() => foldUsage(hub.context.db)),
  ]);
  expect(await deltas()).toBeGreaterThan(0);
  const before = await expectExact(hub, project);
  await foldUsage(hub.context.db);
  expect(await deltas()).toBe(0);
  expect(await expectExact(hub, project)).toEqual(before);
});

it('a project that goes takes its counters with it', async () => {
  const project = await hub.project();
  await limit(hub, project, {});
  const { rows } = await hub.db.pool.query<{ id: number }>('select id from projects where name = $1', [project]);
  const { id } = rows[0]!;
  await hub.admin.repo(`${project}/app`).mustPush(blob(100));
  await hub.db.pool.query(
    'delete from repository_blobs where repository_id in (select id from repositories where project_id = $1)',
    [id],
  );
  await hub.db.pool.query('delete from repositories where project_id = $1', [id]);
  expectStatus(await hub.api('DELETE', `/projects/${project}`), 204);
  await foldUsage(hub.context.db);
  for (const table of ['project_usage', 'project_usage_deltas', 'project_blobs']) {
    const left = await hub.db.pool.query(`select 1 from ${table} where project_id = $1`, [id]);
    expect(left.rowCount, table).toBe(0);
  }
});
