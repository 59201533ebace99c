import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface PartialAddress {
  readonly repositoryId: number;
  readonly principalId: number;
  /** `version/path` */
  readonly file: string;
}

/** The upload that a cut request for the file left; the newest, if there are several. */
export function selectPartial(db: Queryable, where: PartialAddress): Promise<{ id: string } | undefined> {
  return db.first<{ id: string }>(sql`
    select id from uploads
    where repository_id = ${where.repositoryId} and principal_id = ${where.principalId} and file = ${where.file}
    order by created_at desc limit 1`);
}

/** Notes for which file an upload is; what earlier ones brought is not gone back to. */
export async function adoptPartial(db: Queryable, upload: PartialAddress & { readonly id: string }): Promise<void> {
  await db.query(sql`
    with others as (
      update uploads set file = null
      where repository_id = ${upload.repositoryId} and principal_id = ${upload.principalId} and file = ${upload.file}
        and id <> ${upload.id}
    )
    update uploads set file = ${upload.file} where id = ${upload.id}`);
}
