import sql, { empty, join, type Sql } from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';

export interface AuditRow {
  seq: number | null;
  id: number;
  /** RFC 3339 in UTC, with microseconds. */
  at: string;
  /** The same, in microseconds since 1970. */
  micros: number;
  action: string;
  decision: 'allow' | 'deny';
  reason: string | null;
  principalId: number | null;
  principalKind: string | null;
  principalName: string | null;
  credential: string | null;
  credentialId: number | null;
  address: string | null;
  requestId: string | null;
  route: string | null;
  project: string | null;
  repository: string | null;
  reference: string | null;
  data: Record<string, unknown>;
  count: number;
  hash: Buffer | null;
}

const COLUMNS = sql`
  seq, id, to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
  (extract(epoch from at) * 1000000)::bigint as micros, action, decision, reason, principal_id as "principalId",
  principal_kind as "principalKind", principal_name as "principalName", credential, credential_id as "credentialId", address,
  request_id as "requestId", route, project, repository, reference, data, count, hash`;

export interface AuditFilter {
  readonly projectId?: number | undefined;
  readonly project?: string | undefined;
  readonly principal?: string | undefined;
  /** Whole, or its beginning when it ends with a star. */
  readonly action?: string | undefined;
  readonly decision?: 'allow' | 'deny' | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

function matching(filter: AuditFilter): Sql[] {
  const { projectId, project, principal, action, decision, since, until } = filter;
  return [
    ...(projectId === undefined ? [] : [sql`project_id = ${projectId}`]),
    ...(project === undefined ? [] : [sql`project = ${project}`]),
    ...(principal === undefined ? [] : [sql`principal_name = ${principal}`]),
    ...(action === undefined
      ? []
      : [action.endsWith('*') ? sql`starts_with(action, ${action.slice(0, -1)})` : sql`action = ${action}`]),
    ...(decision === undefined ? [] : [sql`decision = ${decision}`]),
    ...(since === undefined ? [] : [sql`at >= ${since}`]),
    ...(until === undefined ? [] : [sql`at < ${until}`]),
  ];
}

/** Newest first. */
export function selectAudit(
  db: Queryable,
  filter: AuditFilter,
  before: { micros: number; id: number } | undefined,
  limit: number,
): Promise<AuditRow[]> {
  const conditions = [
    sql`true`,
    ...matching(filter),
    ...(before === undefined
      ? []
      : [sql`(at, id) < (timestamptz 'epoch' + ${before.micros}::bigint * interval '1 microsecond', ${before.id})`]),
  ];
  return db.query<AuditRow>(sql`
    select ${COLUMNS} from audit where ${join(conditions, ' and ')} order by audit.at desc, id desc limit ${limit}`);
}

/** What is chained, in the chain's order. */
export function selectChained(
  db: Queryable,
  filter: AuditFilter,
  afterSeq: number,
  limit: number,
): Promise<AuditRow[]> {
  const conditions = [sql`seq > ${afterSeq}`, ...matching(filter)];
  return db.query<AuditRow>(sql`
    select ${COLUMNS} from audit where ${join(conditions, ' and ')} order by seq limit ${limit}`);
}

export interface Chain {
  startSeq: number;
  startHash: Buffer;
  endSeq: number;
  endHash: Buffer;
}

export async function selectChain(db: Queryable, lock: 'lock' | 'look'): Promise<Chain> {
  const row = await db.first<Chain>(sql`
    select start_seq as "startSeq", start_hash as "startHash", end_seq as "endSeq", end_hash as "endHash"
    from audit_chain ${lock === 'lock' ? sql`for update` : empty}`);
  return row!;
}

/** What the project in the row `p` was called when the event `e` happened: it may have been renamed before this looks. */
function nameAt(p: Sql): Sql {
  return sql`coalesce((select a.name from project_aliases a where a.project_id = ${p}.id and a.created_at > e.at
                       order by a.created_at limit 1), ${p}.name)`;
}

/**
 * Takes the next events of the outbox into the trail; returns how many. Replicas take turns. Names are those of the event's
 * time, as far as former names tell: the trail is at most a minute behind.
 */
export async function insertFromOutbox(tx: Transaction, limit: number): Promise<number> {
  await tx.query(sql`select 1 from event_consumers where name = 'audit' for update`);
  const row = await tx.first<{ count: number }>(sql`
    with next as (
      select e.* from event_consumers c join events e on (e.xid, e.id) > (c.xid, c.id)
      where c.name = 'audit' and e.xid < pg_snapshot_xmin(pg_current_snapshot())
      order by e.xid, e.id limit ${limit}
    ), moved as (
      update event_consumers c set xid = last.xid, id = last.id
      from (select xid, id from next order by xid desc, id desc limit 1) last where c.name = 'audit'
    ), taken as (
      insert into audit (at, action, decision, reason, principal_id, principal_kind, principal_name, credential, credential_id,
                         address, request_id, route, project_id, project, repository, reference, data, event_id)
      select e.at, regexp_replace(e.type, '^dev\\.berth\\.', ''), 'allow', e.origin ->> 'reason',
             coalesce((e.origin #>> '{principal,id}')::bigint, e.actor_id), coalesce(e.origin #>> '{principal,kind}', s.kind),
             coalesce(e.origin #>> '{principal,name}', s.name), e.origin ->> 'credential', (e.origin ->> 'credentialId')::bigint,
             e.origin ->> 'address', e.request_id, e.origin ->> 'route', e.project_id,
             coalesce(called.name, e.data ->> 'project', nullif(split_part(e.origin ->> 'path', '/', 1), '')),
             coalesce(called.path, case when e.repository_id is not null then e.origin ->> 'path' end),
             coalesce(e.data ->> 'tag', e.data ->> 'digest'), e.data, e.id
      from next e left join principals s on s.id = e.actor_id left join projects p on p.id = e.project_id
           left join repositories r on r.id = e.repository_id
           left join projects home on home.id = r.project_id
           left join lateral (select * from repository_aliases where repository_id = r.id and created_at > e.at
                              order by created_at limit 1) former on true
           left join projects formerly on formerly.id = former.project_id
           cross join lateral (select ${nameAt(sql`p`)} as name,
                                      case when former.path is null
                                           then ${nameAt(sql`home`)} || substr(r.path, length(home.root) + 1)
                                           else ${nameAt(sql`formerly`)} || substr(former.path, length(formerly.root) + 1)
                                      end as path) called
      order by e.xid, e.id
      on conflict (event_id) do nothing
    )
    select count(*) as count from next`);
  return row!.count;
}

export function selectUnchained(tx: Transaction, limit: number): Promise<AuditRow[]> {
  return tx.query<AuditRow>(sql`select ${COLUMNS} from audit where seq is null order by id limit ${limit}`);
}

export async function chainRows(
  tx: Transaction,
  links: readonly { id: number; seq: number; hash: Buffer }[],
): Promise<void> {
  await tx.query(sql`
    update audit a set seq = l.seq, hash = l.hash
    from unnest(${links.map(({ id }) => id)}::bigint[], ${links.map(({ seq }) => seq)}::bigint[],
                ${links.map(({ hash }) => hash)}::bytea[]) as l (id, seq, hash)
    where a.id = l.id`);
  const last = links.at(-1)!;
  await tx.query(sql`update audit_chain set end_seq = ${last.seq}, end_hash = ${last.hash}`);
}

/** Removes the oldest rows of the chain, at most `limit`, as long as they are older than `days`; returns how many. */
export async function deleteOldest(tx: Transaction, days: number, limit: number): Promise<number> {
  const row = await tx.first<{ count: number }>(sql`
    with first as (
      select seq, hash, at < now() - make_interval(days => ${days}) as old from audit where seq is not null
      order by seq limit ${limit}
    ), over as (
      select seq, hash from first where seq < coalesce((select min(seq) from first where not old), 9223372036854775807)
    ), gone as (
      delete from audit where seq in (select seq from over)
    ), started as (
      update audit_chain set start_seq = last.seq, start_hash = last.hash
      from (select seq, hash from over order by seq desc limit 1) last
    )
    select count(*) as count from over`);
  return row!.count;
}

/** As `insertDenials` wants it. */
export interface DenialRow {
  at: string;
  action: string;
  reason: string;
  principal_id: number | null;
  principal_kind: string | null;
  principal_name: string | null;
  /** What was typed as the account's name; kept only if there is such an account. */
  attempted: string | null;
  credential: string | null;
  credential_id: number | null;
  address: string | null;
  request_id: string | null;
  route: string | null;
  project_id: number | null;
  project: string | null;
  repository: string | null;
  reference: string | null;
  count: number;
}

export async function insertDenials(db: Queryable, rows: readonly DenialRow[]): Promise<void> {
  await db.query(sql`
    insert into audit (at, action, decision, reason, principal_id, principal_kind, principal_name, credential, credential_id,
                       address, request_id, route, project_id, project, repository, reference, count)
    select d.at, d.action, 'deny', d.reason, coalesce(d.principal_id, p.id), coalesce(d.principal_kind, p.kind),
           coalesce(d.principal_name, p.name), d.credential, d.credential_id, d.address, d.request_id, d.route, d.project_id,
           d.project, d.repository, d.reference, d.count
    from jsonb_to_recordset(${JSON.stringify(rows, takable)}::jsonb) as d (
      at timestamptz, action text, reason text, principal_id bigint, principal_kind text, principal_name text, attempted text,
      credential text, credential_id bigint, address text, request_id text, route text, project_id bigint, project text,
      repository text, reference text, count int)
    left join principals p on p.kind = 'user' and p.name = d.attempted`);
}

/** Postgres takes no U+0000 and no half of a surrogate pair, and one row that it does not take keeps back all the others. */
function takable(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffd').toWellFormed() : value;
}
