/** The audit trail, read: who did or tried what, from where, by which right. */
import type { Queryable } from '../db/database.ts';
import { selectAudit, selectChained, type AuditFilter, type AuditRow } from './queries/audit.ts';

export type { AuditFilter } from './queries/audit.ts';

/** As the API shows it and as the chain hashes it; members that have no value are left out. */
export interface AuditEntry {
  readonly seq?: number;
  readonly id: string;
  readonly at: string;
  readonly action: string;
  readonly decision: 'allow' | 'deny';
  readonly reason?: string;
  readonly principal?: { readonly type: string; readonly name: string; readonly id: string };
  readonly credential?: string;
  readonly credential_id?: string;
  readonly address?: string;
  readonly request_id?: string;
  readonly route?: string;
  readonly project?: string;
  readonly repository?: string;
  readonly reference?: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly count: number;
  /** Of the chain, in hexadecimal; absent until the row is chained. */
  readonly hash?: string;
}

export interface AuditCursor {
  readonly micros: number;
  readonly id: number;
}

/** Newest first. */
export async function searchAudit(
  db: Queryable,
  filter: AuditFilter,
  page: { readonly before?: AuditCursor | undefined; readonly limit: number },
): Promise<{ readonly entry: AuditEntry; readonly cursor: AuditCursor }[]> {
  const rows = await selectAudit(db, filter, page.before, page.limit);
  return rows.map((row) => ({ entry: entryOf(row), cursor: { micros: row.micros, id: row.id } }));
}

const BATCH = 500;

/** Everything that is chained, oldest first, as JSON lines; never more than a batch in memory. */
export async function* exportAudit(db: Queryable, filter: AuditFilter): AsyncGenerator<string> {
  for (let after = 0; ;) {
    const rows = await selectChained(db, filter, after, BATCH);
    if (rows.length > 0) yield rows.map((row) => `${lineOf(row)}\n`).join('');
    if (rows.length < BATCH) return;
    after = rows.at(-1)!.seq!;
  }
}

/**
 * What is hashed: the entry without its hash, as JSON without spaces, members in this order, those of `data` by name. The line
 * of an export is the same with the hash as its last member, so that an export can be checked with nothing else at hand.
 */
export function canonical(row: AuditRow, seq: number): string {
  const { hash: _, ...entry } = entryOf({ ...row, seq });
  return JSON.stringify({ ...entry, data: sorted(entry.data) });
}

function lineOf(row: AuditRow): string {
  return `${canonical(row, row.seq!).slice(0, -1)},"hash":"${row.hash!.toString('hex')}"}`;
}

function entryOf(row: AuditRow): AuditEntry {
  const { principalId, principalKind, principalName } = row;
  return {
    ...(row.seq !== null && { seq: row.seq }),
    id: String(row.id),
    at: row.at,
    action: row.action,
    decision: row.decision,
    ...(row.reason !== null && { reason: row.reason }),
    ...(principalId !== null && {
      principal: { type: principalKind ?? 'unknown', name: principalName ?? '', id: String(principalId) },
    }),
    ...(row.credential !== null && { credential: row.credential }),
    ...(row.credentialId !== null && { credential_id: String(row.credentialId) }),
    ...(row.address !== null && { address: row.address }),
    ...(row.requestId !== null && { request_id: row.requestId }),
    ...(row.route !== null && { route: row.route }),
    ...(row.project !== null && { project: row.project }),
    ...(row.repository !== null && { repository: row.repository }),
    ...(row.reference !== null && { reference: row.reference }),
    data: row.data,
    count: row.count,
    ...(row.hash !== null && { hash: row.hash.toString('hex') }),
  };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, sorted(inner)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
