import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';

export interface NewDecision {
  kind: 'tag' | 'manifest';
  /** Of a tag. */
  name: string | null;
  manifestId: number;
  digest: Buffer;
  /** Of a tag: seconds since 1970. */
  pushed: number | null;
  decision: 'deleted' | 'skipped';
  reason: string;
}

export async function insertDecisions(
  tx: Transaction,
  place: { runId: number; repositoryId: number; path: string },
  decisions: readonly NewDecision[],
): Promise<void> {
  const column = <K extends keyof NewDecision>(key: K) => decisions.map((each) => each[key]);
  await tx.query(sql`
    insert into retention_decisions (run_id, repository_id, path, kind, name, manifest_id, digest, pushed_at, decision, reason)
    select ${place.runId}::bigint, ${place.repositoryId}::bigint, ${place.path}, kind, name, manifest_id, digest,
           to_timestamp(pushed), decision, reason
    from unnest(${column('kind')}::text[], ${column('name')}::text[], ${column('manifestId')}::bigint[],
                ${column('digest')}::bytea[], ${column('pushed')}::float8[], ${column('decision')}::text[],
                ${column('reason')}::text[]) with ordinality
         as d (kind, name, manifest_id, digest, pushed, decision, reason, place)
    order by place`);
}

export interface DecisionRow {
  id: number;
  repositoryId: number;
  path: string;
  kind: 'tag' | 'manifest';
  name: string | null;
  manifestId: number;
  digest: Buffer;
  decision: 'deleted' | 'skipped' | 'restored';
  reason: string;
}

const COLUMNS = sql`
  id, repository_id as "repositoryId", path, kind, name, manifest_id as "manifestId", digest, decision, reason`;

/** In the order in which they were made. */
export function selectDecisions(db: Queryable, runId: number, after: number, limit: number): Promise<DecisionRow[]> {
  return db.query<DecisionRow>(sql`
    select ${COLUMNS} from retention_decisions where run_id = ${runId} and id > ${after} order by id limit ${limit}`);
}

/** What was deleted and is not restored, the last first: what an index lists comes back before the index. */
export function selectDeletedBackwards(
  db: Queryable,
  runId: number,
  kind: 'tag' | 'manifest',
  before: number | null,
  limit: number,
): Promise<DecisionRow[]> {
  return db.query<DecisionRow>(sql`
    select ${COLUMNS} from retention_decisions
    where run_id = ${runId} and kind = ${kind} and decision = 'deleted' and (${before}::bigint is null or id < ${before})
    order by id desc limit ${limit}`);
}

/** The decisions of the run on manifests that came back; returns them. */
export function markManifestsRestored(tx: Transaction, runId: number, ids: readonly number[]): Promise<DecisionRow[]> {
  return tx.query<DecisionRow>(sql`
    update retention_decisions set decision = 'restored'
    where run_id = ${runId} and kind = 'manifest' and decision = 'deleted' and manifest_id = any (${ids}::bigint[])
    returning ${COLUMNS}`);
}

export async function markRestored(tx: Transaction, ids: readonly number[]): Promise<void> {
  await tx.query(sql`update retention_decisions set decision = 'restored' where id = any (${ids}::bigint[])`);
}
