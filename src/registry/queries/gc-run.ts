/** The frame of a run: one collector at a time, and what it removed, counted where it is removed. */
import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';
import type { Counts, Run } from '../gc/run.ts';

/** A collector that was not seen for this long is gone. Longer than any batch may take. */
const GONE_SECONDS = 60;

/** Takes the right to collect. False while another collector is at work. */
export async function claimCollection(db: Queryable, runner: string): Promise<boolean> {
  const row = await db.first(sql`
    update gc_state set runner = ${runner}, runner_seen = now()
    where runner is null or runner_seen < now() - make_interval(secs => ${GONE_SECONDS})
    returning 1 as ok`);
  return row !== undefined;
}

/** Holds on to it, and keeps every other collector out until the transaction ends. False when somebody else has it by now. */
export async function keepCollection(tx: Transaction, runner: string): Promise<boolean> {
  const row = await tx.first(sql`
    update gc_state set runner_seen = now() where runner = ${runner} returning 1 as ok`);
  return row !== undefined;
}

export async function releaseCollection(db: Queryable, runner: string): Promise<void> {
  await db.query(sql`update gc_state set runner = null, runner_seen = null where runner = ${runner}`);
}

/** When it is known that no other hub is alive. */
export async function freeCollection(db: Queryable): Promise<void> {
  await db.query(sql`update gc_state set runner = null, runner_seen = null where runner is not null`);
}

/** Adds to the run's row, which is there from the first thing that was removed. */
export async function addToRun(tx: Transaction, run: Run, add: Counts): Promise<void> {
  await tx.query(sql`
    insert into gc_runs as r (id, cause, requested_by, manifests, orphans, links, blobs, bytes, uploads, objects, object_bytes)
    values (${run.id}, ${run.cause}, ${run.requestedBy}, ${add.manifests}, ${add.orphans}, ${add.links}, ${add.blobs}, ${add.bytes},
            ${add.uploads}, ${add.objects}, ${add.objectBytes})
    on conflict (id) do update
    set seen_at = now(), manifests = r.manifests + excluded.manifests, orphans = r.orphans + excluded.orphans,
        links = r.links + excluded.links, blobs = r.blobs + excluded.blobs, bytes = r.bytes + excluded.bytes,
        uploads = r.uploads + excluded.uploads, objects = r.objects + excluded.objects,
        object_bytes = r.object_bytes + excluded.object_bytes`);
}

export async function finishRun(db: Queryable, id: string): Promise<void> {
  await db.query(sql`update gc_runs set finished_at = now(), seen_at = now() where id = ${id}`);
}

export async function deleteRunsOf90Days(db: Queryable): Promise<void> {
  await db.query(sql`delete from gc_runs where started_at < now() - interval '90 days'`);
}

/** The clock of Postgres, to the microsecond: what comes after it is the next step's. */
export async function selectNow(db: Queryable): Promise<string> {
  const row = await db.first<{ now: string }>(sql`select now()::text as now`);
  return (row as { now: string }).now;
}
