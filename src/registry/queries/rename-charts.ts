import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';

/** The name of the chart that is listed from the repository, if one is, or was. */
export async function selectChartName(tx: Transaction, repositoryId: number): Promise<string | undefined> {
  const row = await tx.first<{ name: string }>(sql`select name from charts where repository_id = ${repositoryId}`);
  return row?.name;
}

/**
 * Lists the chart, with its versions, in the namespace of its repository's path. Namespaces' rows are locked in the order of
 * their ids; both epochs rise, so that the next request sees it go there and come here.
 */
export async function moveChart(tx: Transaction, repositoryId: number): Promise<void> {
  const parent = sql`regexp_replace(r.path, '/[^/]+$', '') collate "C"`;
  await tx.query(sql`
    insert into chart_namespaces (project_id, path)
    select r.project_id, ${parent} from repositories r where r.id = ${repositoryId} on conflict do nothing`);
  await tx.query(sql`
    select from chart_namespaces where id in (
      select namespace_id from charts where repository_id = ${repositoryId}
      union select n.id from chart_namespaces n join repositories r on n.path = ${parent} where r.id = ${repositoryId})
    order by id for no key update`);
  // The file's name is another chart's there: that one was first.
  await tx.query(sql`
    delete from chart_versions v using repositories r, chart_namespaces n, chart_versions o
    where v.repository_id = ${repositoryId} and r.id = v.repository_id and n.path = ${parent}
      and o.namespace_id = n.id and o.file = v.file and o.repository_id <> v.repository_id`);
  await tx.query(sql`
    update chart_namespaces set epoch = epoch + 1
    where id = (select namespace_id from charts where repository_id = ${repositoryId})`);
  await tx.query(sql`
    update charts c set namespace_id = n.id, epoch = 0 from repositories r, chart_namespaces n
    where c.repository_id = ${repositoryId} and r.id = c.repository_id and n.path = ${parent}`);
  await tx.query(sql`
    update chart_versions v set namespace_id = c.namespace_id from charts c
    where v.repository_id = ${repositoryId} and c.repository_id = v.repository_id`);
  await tx.query(sql`
    with risen as (
      update chart_namespaces n set epoch = n.epoch + 1 from charts c
      where c.repository_id = ${repositoryId} and n.id = c.namespace_id returning n.epoch)
    update charts set epoch = risen.epoch from risen where repository_id = ${repositoryId}`);
}

/** What is no chart at its path is listed nowhere. */
export async function deleteChart(tx: Transaction, repositoryId: number): Promise<void> {
  await tx.query(sql`delete from charts where repository_id = ${repositoryId}`);
}

/** Whether anything that was pushed here is a chart. */
export async function anyChart(tx: Queryable, repositoryId: number): Promise<boolean> {
  const row = await tx.first<{ found: boolean }>(sql`
    select exists (select from manifests where repository_id = ${repositoryId} and kind = 'chart') as found`);
  return row!.found;
}

/** Charts of a repository that have a tag which looks like a version and is not listed, by id. */
export async function selectUnlistedOf(
  db: Queryable,
  repositoryId: number,
  after: number,
  limit: number,
): Promise<number[]> {
  const rows = await db.query<{ id: number }>(sql`
    select m.id from manifests m
    where m.repository_id = ${repositoryId} and m.kind = 'chart' and m.deleted_at is null and m.id > ${after}
      and exists (select from tags t
                  where t.manifest_id = m.id and t.name ~ '^v?[0-9]'
                    and not exists (select from chart_versions v where v.repository_id = t.repository_id and v.tag = t.name))
    order by m.id limit ${limit}`);
  return rows.map((row) => row.id);
}
