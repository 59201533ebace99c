/** The audit trail: for administrators all of it, for owners their project's. */
import { Readable } from 'node:stream';
import { exportAudit, searchAudit, type AuditFilter } from '../auth/audit.ts';
import { chainAudit } from '../auth/audit-chain.ts';
import type { Database } from '../db/database.ts';
import type { z } from 'zod';
import { define, type ApiRoute } from './call.ts';
import { hubAdmin, onProject } from './guard.ts';
import { decodeCursor, encodeCursor, pageOf } from './pages.ts';
import { Problem } from './problems.ts';
import { projectId } from './project-routes.ts';
import * as shapes from './shapes.ts';

export function auditRoutes(db: Database): ApiRoute[] {
  return [
    define('GET', '/audit', {
      id: 'audit',
      policy: hubAdmin,
      summary: 'What was changed and what was denied, newest first',
      query: shapes.auditPageQuery.extend({ project: shapes.auditProject }),
      answer: pageOf(shapes.auditEntry),
      run: ({ query }) => search(db, query, {}),
    }),
    define('GET', '/audit/export', {
      id: 'audit-export',
      policy: hubAdmin,
      summary: 'The audit trail as JSON lines, oldest first, each with its hash in the chain',
      query: shapes.auditQuery.extend({ project: shapes.auditProject }),
      lines: true,
      run: ({ query }) => lines(db, query, {}),
    }),
    define('GET', '/projects/:project/audit', {
      id: 'project-audit',
      policy: onProject('admin'),
      summary: 'What was changed and what was denied in a project, newest first',
      query: shapes.auditPageQuery,
      answer: pageOf(shapes.auditEntry),
      run: ({ target, query }) => search(db, query, { projectId: projectId(target) }),
    }),
    define('GET', '/projects/:project/audit/export', {
      id: 'project-audit-export',
      policy: onProject('admin'),
      summary: "A project's audit trail as JSON lines, oldest first",
      query: shapes.auditQuery,
      lines: true,
      run: ({ target, query }) => lines(db, query, { projectId: projectId(target) }),
    }),
  ];
}

type Query = z.output<typeof shapes.auditQuery> & { project?: string | undefined };
type PageQuery = Query & { limit: number; cursor?: string | undefined };

async function search(db: Database, { limit, cursor, ...query }: PageQuery, scope: AuditFilter) {
  const before = cursorOf(cursor);
  // What was committed before this request is in its answer.
  await chainAudit(db);
  const rows = await searchAudit(db, { ...filterOf(query), ...scope }, { before, limit: limit + 1 });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const next = rows.length > limit && last !== undefined ? `${last.cursor.micros}.${last.cursor.id}` : undefined;
  return {
    items: items.map(({ entry }) => ({ ...entry, data: { ...entry.data } })),
    ...(next !== undefined && { next_cursor: encodeCursor(next) }),
  };
}

async function lines(db: Database, query: Query, scope: AuditFilter): Promise<Readable> {
  await chainAudit(db);
  return Readable.from(exportAudit(db, { ...filterOf(query), ...scope }));
}

function filterOf({ since, until, ...rest }: Query): AuditFilter {
  return { ...rest, since: dateOf(since), until: dateOf(until) };
}

function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}

function cursorOf(cursor: string | undefined) {
  const text = decodeCursor(cursor);
  if (text === undefined) return undefined;
  const [, micros, id] = /^(\d{1,16})\.(\d{1,15})$/.exec(text) ?? [];
  if (micros === undefined || id === undefined) {
    throw new Problem('validation-failed', 'Take the cursor from next_cursor of the page before.', {
      faults: [{ at: 'cursor', message: 'Not a cursor of this list' }],
    });
  }
  return { micros: Number(micros), id: Number(id) };
}
