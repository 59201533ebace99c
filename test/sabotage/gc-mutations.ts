/** What garbage collection can forget. */
import { mutation, type Mutation } from './mutation.ts';

const LINKS = 'test/races/gc-links.test.ts';
const MANIFESTS = 'test/races/gc-manifests.test.ts';
const ORPHANS = 'test/gc/orphans.test.ts';
const REPORTS = 'test/gc/reports.test.ts';
const LEASES = 'test/gc/leases.test.ts';
const PLANS = 'test/gc/plans.test.ts';

const SCHEMA = 'migrations/0016-gc.sql';
const EARLIER =
  'insert into link_reviews as r (repository_id, blob_id, review_after)\n' +
  '  select distinct repository_id, blob_id, now() from gone order by repository_id, blob_id\n' +
  '  on conflict (repository_id, blob_id) do ';

export const GC_MUTATIONS: readonly Mutation[] = [
  mutation(
    'gc: that a trigger locks its row of the queue',
    SCHEMA,
    `${EARLIER}update set review_after = least(r.review_after, excluded.review_after);`,
    `${EARLIER}nothing;`,
    LINKS,
  ),
  mutation(
    'gc: replaced files',
    SCHEMA,
    'when (new.blob_id <> old.blob_id) execute',
    'when (false) execute',
    'test/gc/files.test.ts',
  ),
  mutation(
    'gc: deleted versions of files',
    SCHEMA,
    'create trigger file_entries_review after delete on file_entries\n' +
      '  referencing old table as gone for each statement execute function review_links();\n',
    '',
    'test/gc/files.test.ts',
  ),
  mutation(
    'gc: a manifest finds its links locked before it binds them',
    'src/registry/references.ts',
    '(await lockLiveLinks(tx, repositoryId, blobIds)) !== blobIds.length',
    'false',
    LINKS,
  ),
  mutation(
    'gc: the lease, under the lock',
    'src/registry/queries/gc-links.ts',
    ' and rb.leased_until <= now()\n',
    '\n',
    'test/races/gc-recheck.test.ts',
  ),
  mutation(
    'gc: the lease, at first sight',
    'src/registry/queries/gc-links.ts',
    ' and not l.used and l.until > now()',
    ' and not l.used and false',
    LEASES,
  ),
  mutation(
    'gc: references, under the lock',
    'src/registry/queries/gc-links.ts',
    '      where not exists (select from manifest_blobs m where m.repository_id = w.repository_id and m.blob_id = w.blob_id)\n' +
      '        and not exists (select from file_entries e',
    '      where not exists (select from file_entries e',
    'test/races/gc-recheck.test.ts',
  ),
  mutation(
    'gc: epochs of what it removed',
    'src/registry/queries/gc-links.ts',
    'update repositories set epoch = epoch + 1 where id in',
    'update repositories set epoch = epoch where id in',
    'test/gc/collect.test.ts',
  ),
  mutation(
    'gc: links that others have locked',
    'src/registry/queries/gc-links.ts',
    'for update of rb skip locked',
    'for update of rb',
    LINKS,
  ),
  mutation(
    'gc: repositories that others have locked',
    'src/registry/queries/gc-links.ts',
    'for no key update skip locked',
    'for no key update',
    LINKS,
  ),
  mutation(
    'gc: other repositories with the content',
    'src/registry/queries/gc-blobs.ts',
    'where b.id = l.id and not l.linked',
    'where b.id = l.id',
    'test/gc/collect.test.ts',
  ),
  mutation(
    'gc: holds on manifests',
    'src/registry/queries/gc-purge.ts',
    'not exists (select from holds h where h.manifest_id = m.id)',
    'true',
    MANIFESTS,
  ),
  mutation(
    'gc: indexes before their children',
    'src/registry/queries/gc-purge.ts',
    '\n      and not exists (select from manifest_children c where c.repository_id = m.repository_id and c.child_digest = m.digest)',
    '',
    MANIFESTS,
  ),
  mutation('gc: time to undo', 'src/registry/gc/purge.ts', 'undo: run.world.clocks.undo', 'undo: 0', ORPHANS),
  mutation(
    'gc: referrers that wait for their subject',
    'src/registry/queries/gc-orphans.ts',
    '        and m.created_at <= gone.gone_at and m.id',
    '        and m.id',
    ORPHANS,
  ),
  mutation('gc: names that people gave', 'src/registry/gc/orphans.ts', '.filter((row) => !row.named)', '', ORPHANS),
  mutation('gc: leases of orphans', 'src/registry/gc/orphans.ts', 'row.until === null', 'true', ORPHANS),
  mutation(
    'gc: a subject that is here again',
    'src/registry/gc/orphans.ts',
    'if (await isHereAgain(tx, subject))',
    'if ((await isHereAgain(tx, subject)) && false)',
    ORPHANS,
  ),
  mutation(
    'gc: that an index gone wakes the review',
    SCHEMA,
    'create trigger manifests_review_listed after update of deleted_at on manifests\n' +
      '  for each row when (new.deleted_at is not null and old.deleted_at is null) execute function review_listed();\n',
    '',
    MANIFESTS,
  ),
  mutation(
    'gc: holds on bytes',
    'src/blobs/queries.ts',
    ' and not exists (select from gc_holds where expires_at > now())',
    '',
    REPORTS,
  ),
  mutation(
    'gc: one collector',
    'src/registry/gc/run.ts',
    "if (!(await keepCollection(tx, this.id))) throw new CollectionLost('Another process collects by now');",
    'await keepCollection(tx, this.id);',
    REPORTS,
  ),
  mutation(
    'gc: GET renews a lease',
    'src/oci/blobs.ts',
    'const blob = await blobs.findBlob(registry, requireRepository(ctx), digest, mayPush(registry, ctx));',
    "const blob = await blobs.findBlob(registry, requireRepository(ctx), digest, ctx.method === 'HEAD' && mayPush(registry, ctx));",
    LEASES,
  ),
  mutation('gc: rows durably gone before bytes', 'src/blobs/sweep.ts', '      await mustBeDurable(tx);\n', '', REPORTS),
  mutation('gc: plans by index', 'src/registry/gc/run.ts', '      await lookUpsOnly(tx);\n', '', PLANS),
];
