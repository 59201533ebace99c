/**
 * Random repositories under random rules, against the model: what a preview says, what a run does, what undoing brings back, and
 * what garbage collection leaves in the end. A campaign: BERTH_RETENTION_RUNS=200 BERTH_RETENTION_NODES=1000, and a seed by
 * BERTH_RETENTION_SEED; BERTH_RETENTION_LEAST=1000 has them all large.
 */
import fc from 'fast-check';
import sql from 'sql-template-tag';
import { expect, it } from 'vitest';
import { collect } from '../../src/registry/gc/collect.ts';
import { setPolicy } from '../../src/registry/retention/policies.ts';
import { preview, type Decision } from '../../src/registry/retention/preview.ts';
import { workOnRun } from '../../src/registry/retention/run.ts';
import { requireRun, startRun, undoRun } from '../../src/registry/retention/runs.ts';
import { testHub } from '../harness/hub.ts';
import { unique } from '../harness/oci-client.ts';
import { shown, world, write, type Written } from './graphs.ts';
import { expected, type Outcome } from './model.ts';

const RUNS = Number(process.env['BERTH_RETENTION_RUNS'] ?? 15);
const NODES = Number(process.env['BERTH_RETENTION_NODES'] ?? 40);
const LEAST = Number(process.env['BERTH_RETENTION_LEAST'] ?? 1);
const SEED = process.env['BERTH_RETENTION_SEED'];

const hub = await testHub({ config: { gc: { undo: 0, delay: 0, bytesDelay: 0, lease: 0 } } });
const { registry, db } = { registry: hub.context.registry, db: hub.db };
const actor = { id: 0 };
await db.query(sql`update pull_tracking set since = now() - interval '1000 days'`);

interface State {
  readonly tags: Record<string, string>;
  readonly manifests: readonly string[];
  readonly blobs: readonly number[];
}

/** Tags and what they say, live manifests that have their bytes, and the contents that are linked. */
async function stateOf({ repositoryId }: Written): Promise<State> {
  const tags = await db.query<{ name: string; digest: Buffer }>(sql`
    select t.name, m.digest from tags t join manifests m on m.id = t.manifest_id and m.deleted_at is null
    where t.repository_id = ${repositoryId} order by t.name`);
  const manifests = await db.query<{ digest: Buffer }>(sql`
    select m.digest from manifests m join manifest_payloads p on p.manifest_id = m.id and p.payload = m.digest
    where m.repository_id = ${repositoryId} and m.deleted_at is null order by m.digest`);
  const blobs = await db.query<{ size: number }>(sql`
    select b.size from repository_blobs rb join blobs b on b.id = rb.blob_id
    where rb.repository_id = ${repositoryId} and rb.deleted_at is null order by b.size`);
  return {
    tags: Object.fromEntries(tags.map(({ name, digest }) => [name, shown(digest)])),
    manifests: manifests.map(({ digest }) => shown(digest)),
    blobs: blobs.map(({ size }) => size),
  };
}

function without(state: State, gone: Outcome): Omit<State, 'blobs'> {
  return {
    tags: Object.fromEntries(Object.entries(state.tags).filter(([name]) => !gone.tags.has(name))),
    manifests: state.manifests.filter((digest) => !gone.manifests.has(digest)),
  };
}

const namesOf = (decisions: readonly Decision[], kind: Decision['kind']): Set<string> =>
  new Set(decisions.filter((each) => each.kind === kind).map(({ name, digest }) => (name ?? digest)!));

it(
  'nothing reached from what is kept goes, everything else does, and undoing brings it back',
  async () => {
    await fc.assert(
      fc.asyncProperty(world(LEAST, NODES), fc.boolean(), async (made, undone) => {
        const project = await hub.project();
        const projectId = (await db.first<{ id: number }>(sql`select id from projects where name = ${project}`))!.id;
        const written = await write(db, made, project, unique());
        const outcome = expected(made, written);
        const before = await stateOf(written);
        const { rules } = made;

        const all = { projectId, rules, shown: 'deleted', limit: 100_000, from: undefined } as const;
        const { totals, decisions } = await preview(db, all);
        expect(namesOf(decisions, 'tag')).toEqual(outcome.tags);
        expect(namesOf(decisions, 'manifest')).toEqual(outcome.manifests);
        expect(totals!.bytes).toBe(outcome.bytes);

        await setPolicy(db, projectId, { rules, enabled: true, dailyHour: null }, actor);
        const carryOut = async (): Promise<number> => {
          const { id } = await startRun(db, projectId, actor);
          await workOnRun(registry, id);
          const skipped = await db.query(sql`
            select kind, name, reason from retention_decisions where run_id = ${id} and decision = 'skipped'`);
          expect(skipped).toEqual([]);
          expect(await requireRun(db, projectId, id)).toMatchObject({
            state: 'done',
            skipped: 0,
            bytes: outcome.bytes,
          });
          expect(await stateOf(written)).toMatchObject(without(before, outcome));
          return id;
        };
        const id = await carryOut();
        if (undone) {
          await undoRun(db, projectId, id, actor);
          await workOnRun(registry, id);
          expect(await stateOf(written)).toEqual(before);
          await carryOut();
        }

        await collect(registry);
        const kept = without(before, outcome);
        expect(await stateOf(written)).toMatchObject(kept);
        const left = await db.first<{ manifests: number; blobs: number; broken: number }>(sql`
          select (select count(*) from manifests where repository_id = ${written.repositoryId}) as manifests,
                 (select coalesce(sum(b.size), 0)::bigint from repository_blobs rb join blobs b on b.id = rb.blob_id
                  where rb.repository_id = ${written.repositoryId}) as blobs,
                 (select count(*) from manifest_children c join manifests p on p.id = c.manifest_id
                  where c.repository_id = ${written.repositoryId} and not exists (
                    select from manifests m where m.repository_id = c.repository_id and m.digest = c.child_digest)) as broken`);
        const bytes = before.blobs.reduce((sum, size) => sum + size, 0) - outcome.bytes;
        expect(left).toEqual({ manifests: kept.manifests.length, blobs: bytes, broken: 0 });
      }),
      { numRuns: RUNS, ...(SEED !== undefined && { seed: Number(SEED) }) },
    );
  },
  Math.max(20_000, RUNS * 30_000),
);
