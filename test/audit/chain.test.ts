/** The chain over the audit trail: complete, exportable, and broken by every change. */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import sql, { type Sql } from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import { exportAudit } from '../../src/auth/audit.ts';
import { chainAudit, pruneAudit, verifyAudit } from '../../src/auth/audit-chain.ts';
import { createDenials } from '../../src/auth/denials.ts';
import type { Database, Transaction } from '../../src/db/database.ts';
import { recordEvent } from '../../src/jobs/outbox.ts';
import { testDatabase } from '../harness/database.ts';

const DENIAL = {
  action: 'pull',
  reason: 'no grant allows pull',
  principal_id: null,
  principal_kind: null,
  principal_name: null,
  attempted: null,
  credential: null,
  credential_id: null,
  address: '192.0.2.1',
  request_id: null,
  route: 'end-3',
  project_id: null,
  project: null,
  repository: null,
  reference: null,
};

async function trail(events: number) {
  const database = await testDatabase();
  await happen(database.db, events);
  await chained(database.db, events);
  return database;
}

async function happen(db: Database, events: number): Promise<void> {
  for (let i = 0; i < events; i++) {
    const data = { n: i, b: { z: 1, a: ['ü', null, 1.5] }, a: 'x' };
    await db.transaction((tx) => recordEvent(tx, { type: 'test.happened', actorId: 0, data }));
  }
}

/** The outbox is read below the oldest open transaction of the server. */
async function chained(db: Database, rows: number): Promise<void> {
  for (;;) {
    await chainAudit(db);
    const row = await db.first<{ count: number }>(sql`select count(*) as count from audit where seq is not null`);
    if (row!.count >= rows) return;
    await delay(10);
  }
}

class Undo extends Error {}

/** What someone who owns the database does, undone afterwards; returns what the check finds meanwhile. */
async function tampered<T>(db: Database, changes: readonly Sql[], look: (tx: Transaction) => Promise<T>): Promise<T> {
  let found: T | undefined;
  await db
    .transaction(async (tx) => {
      await tx.query(sql`alter table audit disable trigger user`);
      for (const change of changes) await tx.query(change);
      found = await look(tx);
      throw new Undo();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error;
    });
  return found as T;
}

describe('the trail', async () => {
  const { db, another } = await trail(12);

  it('takes each event once, in order, whoever takes them', async () => {
    const replica = another();
    await happen(db, 30);
    await Promise.all([chainAudit(db), chainAudit(replica), chainAudit(db), chainAudit(replica)]);
    await chained(db, 42);
    const rows = await db.query<{ seq: number; event: number }>(
      sql`select seq, event_id as event from audit order by seq`,
    );
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 42 }, (_, i) => i + 1));
    expect(rows.map(({ event }) => event)).toEqual(rows.map(({ event }) => event).toSorted((a, b) => a - b));
    expect(await verifyAudit(db)).toMatchObject({ rows: 42, head: { seq: 42 } });
    expect((await verifyAudit(db)).fault).toBeUndefined();
  });

  it('leaves out what is not committed yet, and takes it later', async () => {
    const replica = another();
    const before = (await verifyAudit(db)).rows;
    const open = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const late = replica.transaction(async (tx) => {
      await recordEvent(tx, { type: 'test.late', actorId: 0, data: {} });
      written.resolve();
      await open.promise;
    });
    await written.promise;
    await happen(db, 1);
    await chainAudit(db);
    expect((await verifyAudit(db)).rows).toBe(before);
    open.resolve();
    await late;
    await chained(db, before + 2);
    expect((await verifyAudit(db)).fault).toBeUndefined();
  });

  it('can be checked from its export alone', async () => {
    let hash = Buffer.alloc(0);
    let lines = 0;
    for await (const text of exportAudit(db, {})) {
      for (const line of text.trimEnd().split('\n')) {
        const said = (JSON.parse(line) as { hash: string }).hash;
        const bare = line.replace(`,"hash":"${said}"}`, '}');
        hash = createHash('sha256').update(hash).update(bare).digest();
        expect(hash.toString('hex')).toBe(said);
        lines++;
      }
    }
    expect(lines).toBe((await verifyAudit(db)).rows);
  });

  it('is append-only in the database, too', async () => {
    const refused = async (statement: Sql) =>
      expect(db.query(statement), statement.text).rejects.toThrow(/append-only/);
    await refused(sql`update audit set reason = 'x' where seq = 3`);
    await refused(sql`update audit set seq = 1000 where seq = 3`);
    await refused(sql`delete from audit where seq = 3`);
    await refused(sql`delete from audit`);
    await refused(sql`truncate audit`);
    const denials = createDenials(db, () => {});
    denials.note(DENIAL);
    await denials.flush();
    await refused(sql`update audit set count = 99 where seq is null`);
    await refused(sql`delete from audit where seq is null`);
    await denials[Symbol.asyncDispose]();
  });
});

describe('what does not fit is named', async () => {
  const { db } = await trail(10);

  it.each([
    ['a changed reason', sql`update audit set reason = 'because' where seq = 3`, /^row 3 \(id \d+, .+\) is not what/],
    ['changed data', sql`update audit set data = '{"n": 3}' where seq = 4`, /^row 4 /],
    ['a changed time', sql`update audit set at = at + interval '1 microsecond' where seq = 5`, /^row 5 /],
    ['a changed count', sql`update audit set count = 2 where seq = 1`, /^row 1 /],
    ['a row that is gone', sql`delete from audit where seq = 6`, /^row 6 is missing; the next one is 7/],
    ['the first row gone', sql`delete from audit where seq = 1`, /^row 1 is missing/],
    ['the last rows gone', sql`delete from audit where seq > 8`, /^row 9 is missing, and all after it up to 10$/],
    ['a row that is elsewhere', sql`update audit set seq = 11 where seq = 7`, /^row 7 is missing/],
    ['a forged hash', sql`update audit set hash = '\\x00' where seq = 2`, /^row 2 /],
  ])('%s', async (_, change, fault) => {
    expect((await tampered(db, [change], verifyAudit)).fault).toMatch(fault);
    expect((await verifyAudit(db)).fault).toBeUndefined();
  });

  it('a trail that was written anew, by the head that was noted', async () => {
    const { head } = await verifyAudit(db);
    const changes = [
      sql`update audit set reason = 'because', seq = null, hash = null`,
      sql`update audit_chain set end_seq = 0, end_hash = ''`,
    ];
    const anew = await tampered(db, changes, async (tx) => {
      await chainAudit({ ...db, ...tx, transaction: (work) => work(tx) });
      return [await verifyAudit(tx), await verifyAudit(tx, head), await verifyAudit(tx, { ...head, seq: 11 })];
    });
    expect(anew.map(({ fault }) => fault)).toEqual([
      undefined,
      expect.stringMatching(/^row 10 .+ is not the one that was noted$/),
      'row 11, which was noted, is missing',
    ]);
  });
});

describe('retention', async () => {
  it('removes the oldest only, and the rest still fits', async () => {
    const { db } = await testDatabase();
    await happen(db, 8);
    await db.query(
      sql`update events set at = now() - interval '60 days' where id in (select id from events order by id limit 5)`,
    );
    await chained(db, 8);
    await pruneAudit(db, 90);
    expect((await verifyAudit(db)).rows).toBe(8);
    await pruneAudit(db, 45);
    const verified = await verifyAudit(db);
    expect(verified).toMatchObject({ rows: 3, head: { seq: 8 } });
    expect(verified.fault).toBeUndefined();
    await happen(db, 1);
    await chained(db, 4);
    expect((await verifyAudit(db)).fault).toBeUndefined();
  });

  it('stops at a row that is younger, so that the chain has no hole', async () => {
    const { db } = await testDatabase();
    await happen(db, 6);
    await db.query(
      sql`update events set at = now() - interval '60 days' where id <> (select id from events order by id offset 2 limit 1)`,
    );
    await chained(db, 6);
    await pruneAudit(db, 45);
    expect(await verifyAudit(db)).toMatchObject({ rows: 4 });
  });
});

describe('denials', async () => {
  it('of one kind are two rows a minute: the first at once, the others counted', async () => {
    const { db } = await testDatabase();
    let clock = 60_000;
    const denials = createDenials(
      db,
      () => {},
      () => clock,
    );
    const counts = async () =>
      (await db.query<{ count: number }>(sql`select count from audit order by id`)).map(({ count }) => count);
    for (let i = 0; i < 1_000; i++) denials.note(DENIAL);
    await denials.flush();
    expect(await counts()).toEqual([1]);
    clock += 60_000;
    denials.note(DENIAL);
    await denials.flush();
    expect(await counts()).toEqual([1, 999, 1]);
    denials.note(DENIAL);
    await denials[Symbol.asyncDispose]();
    expect(await counts()).toEqual([1, 999, 1, 1]);
  });

  it('of more kinds than can be kept apart are still counted', async () => {
    const { db } = await testDatabase();
    const denials = createDenials(
      db,
      () => {},
      () => 60_000,
    );
    for (let i = 0; i < 10_500; i++) denials.note({ ...DENIAL, address: `2001:db8:0:${i.toString(16)}::1` });
    await denials[Symbol.asyncDispose]();
    const row = await db.first<{ rows: number; total: number }>(sql`
      select count(*) as rows, sum(count) as total from audit`);
    expect(row).toEqual({ rows: 10_001, total: 10_499 });
  });

  it('of a stranger who types one name after the other are few rows, that of a known person is one more', async () => {
    const { db } = await testDatabase();
    const denials = createDenials(
      db,
      () => {},
      () => 60_000,
    );
    for (let i = 0; i < 1_000; i++) denials.note({ ...DENIAL, attempted: `name-${i}`, address: `2001:db8::${i}` });
    denials.note({ ...DENIAL, principal_id: 1, address: '2001:db8::1' });
    denials.note({ ...DENIAL, attempted: 'name-0', address: '2001:db8:0:1::1' });
    await denials[Symbol.asyncDispose]();
    const row = await db.first<{ rows: number; total: number }>(sql`
      select count(*) as rows, sum(count) as total from audit`);
    expect(row).toEqual({ rows: 54, total: 1_002 });
  });

  it('wait while Postgres is away', async () => {
    const { db } = await testDatabase();
    let away = true;
    const errors: unknown[] = [];
    const query: Database['query'] = async (statement) => {
      if (away) throw new Error('away');
      return db.query(statement);
    };
    const denials = createDenials({ ...db, query }, (error) => errors.push(error));
    denials.note(DENIAL);
    await denials.flush();
    expect(errors).toHaveLength(1);
    away = false;
    await denials[Symbol.asyncDispose]();
    expect(await db.query(sql`select 1 from audit`)).toHaveLength(1);
  });
});
