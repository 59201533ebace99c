import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface FailuresRow {
  wrong: number;
  waitMs: number;
}

interface Rules {
  readonly free: number;
  readonly longestSeconds: number;
  readonly forgetSeconds: number;
}

export function selectFailures(db: Queryable, key: Buffer, { forgetSeconds }: Rules): Promise<FailuresRow | undefined> {
  return db.first<FailuresRow>(sql`
    select wrong, (extract(epoch from wait_until - now()) * 1000)::float8 as "waitMs"
    from sign_in_failures where key = ${key} and wait_until > now() - make_interval(secs => ${forgetSeconds})`);
}

/** One more, and how long to wait because of it: nothing for the first few, then a second, two, four … */
export async function addFailure(
  db: Queryable,
  key: Buffer,
  { free, longestSeconds, forgetSeconds }: Rules,
): Promise<FailuresRow> {
  const row = await db.first<FailuresRow>(sql`
    insert into sign_in_failures as f (key, wrong, wait_until) values (${key}, 1, now())
    on conflict (key) do update set
      wrong = case when f.wait_until > now() - make_interval(secs => ${forgetSeconds}) then f.wrong else 0 end + 1,
      wait_until = case
        when f.wait_until > now() - make_interval(secs => ${forgetSeconds}) and f.wrong + 1 >= ${free}::int
        then now() + make_interval(secs => least(2 ^ least(f.wrong + 1 - ${free}::int, 30), ${longestSeconds}))
        else now() end,
      at = now()
    returning wrong, (extract(epoch from wait_until - now()) * 1000)::float8 as "waitMs"`);
  return row!;
}

export async function deleteFailures(db: Queryable, key: Buffer): Promise<void> {
  await db.query(sql`delete from sign_in_failures where key = ${key}`);
}

export async function deleteOldFailures(db: Queryable, forgetSeconds: number): Promise<void> {
  await db.query(sql`
    delete from sign_in_failures
    where at < now() - make_interval(secs => ${forgetSeconds}) and wait_until < now() - make_interval(secs => ${forgetSeconds})`);
}
