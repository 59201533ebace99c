import sql from 'sql-template-tag';
import { digestToBytes, type Digest } from '../../blobs/digest.ts';
import type { Database } from '../../db/database.ts';

export interface PulledRow {
  readonly repositoryId: number;
  readonly digest: Digest;
  readonly tag: string | undefined;
  readonly count: number;
  readonly secondsAgo: number;
}

/** Adds them all, or none. What is not there any more is left out. Rows are locked in the order of their keys. */
export async function addPulls(db: Database, rows: readonly PulledRow[]): Promise<void> {
  const repositories = rows.map((row) => row.repositoryId);
  const digests = rows.map((row) => digestToBytes(row.digest));
  const tags = rows.map((row) => row.tag ?? null);
  const counts = rows.map((row) => row.count);
  const ages = rows.map((row) => row.secondsAgo);
  await db.query(sql`
    with noted as (
      select repository_id, digest, tag, pulls, now() - make_interval(secs => age) as last
      from unnest(${repositories}::bigint[], ${digests}::bytea[], ${tags}::text[], ${counts}::bigint[], ${ages}::float8[])
           as n (repository_id, digest, tag, pulls, age)
    ), by_tag as (
      insert into tag_pulls as p (repository_id, name, last_pulled_at, pulls)
      select t.repository_id, t.name, max(n.last), sum(n.pulls)
      from noted n join tags t on t.repository_id = n.repository_id and t.name = n.tag
      group by t.repository_id, t.name order by t.repository_id, t.name
      on conflict (repository_id, name) do update
        set pulls = p.pulls + excluded.pulls, last_pulled_at = greatest(p.last_pulled_at, excluded.last_pulled_at)
    )
    insert into manifest_pulls as p (manifest_id, last_pulled_at, pulls)
    select m.id, max(n.last), sum(n.pulls)
    from noted n join manifests m on m.repository_id = n.repository_id and m.digest = n.digest
    group by m.id order by m.id
    on conflict (manifest_id) do update
      set pulls = p.pulls + excluded.pulls, last_pulled_at = greatest(p.last_pulled_at, excluded.last_pulled_at)`);
}
