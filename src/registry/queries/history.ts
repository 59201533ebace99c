import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

/** Whether a manifest can be had again: `gone` means for good. */
export type DigestState = 'live' | 'trash' | 'gone';

export interface MoveRow {
  id: number;
  tag: string;
  before: Buffer | null;
  beforeState: DigestState | null;
  after: Buffer | null;
  afterState: DigestState | null;
  actor: string | null;
  at: Date;
}

const stateOf = (column: 'old_digest' | 'new_digest') => {
  const digest = column === 'old_digest' ? sql`h.old_digest` : sql`h.new_digest`;
  return sql`case when ${digest} is null then null else coalesce(
    (select case when m.deleted_at is null then 'live' else 'trash' end from manifests m
     where m.repository_id = h.repository_id and m.digest = ${digest}), 'gone') end`;
};

const COLUMNS = sql`
  h.id, h.name as tag, h.old_digest as before, ${stateOf('old_digest')} as "beforeState", h.new_digest as after,
  ${stateOf('new_digest')} as "afterState", h.at,
  coalesce(h.actor_name, (select name from principals where id = h.actor_id)) as actor`;

/** Moves of a repository's tags, or of one of them, latest first. */
export function selectMoves(
  db: Queryable,
  where: { repositoryId: number; tag: string | null; before: number },
  limit: number,
): Promise<MoveRow[]> {
  const { repositoryId, tag, before } = where;
  if (tag !== null) {
    return db.query<MoveRow>(sql`
      select ${COLUMNS} from tag_history h where h.repository_id = ${repositoryId} and h.name = ${tag} and h.id < ${before}
      order by h.id desc limit ${limit}`);
  }
  return db.query<MoveRow>(sql`
    select ${COLUMNS} from tag_history h where h.repository_id = ${repositoryId} and h.id < ${before}
    order by h.id desc limit ${limit}`);
}
