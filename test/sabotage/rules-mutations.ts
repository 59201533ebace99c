/** Forgotten conditions of immutable tags, holds and the time machine. */
import { mutation, type Mutation } from './mutation.ts';

const RULES = 'test/rules/immutability.test.ts';
const HOLDS = 'test/rules/holds.test.ts';
const TAGS = 'test/history/tags.test.ts';
const TRASH = 'test/history/trash.test.ts';
const RENAMED = 'test/history/renamed.test.ts';
const IMMUTABLE_RACES = 'test/races/immutable.test.ts';
const RESTORE_RACES = 'test/races/restore.test.ts';
const WHERE = 'src/api/in-repository.ts';

export const RULES_MUTATIONS: readonly Mutation[] = [
  mutation(
    'that an immutable tag does not move',
    'src/registry/tags.ts',
    'if (!before.equals(after)) await refuseMove(tx, repositoryId, tag);',
    '',
    RULES,
  ),
  mutation(
    'that a deleted tag comes back as what it was',
    'src/registry/tags.ts',
    'await refuseReturn(tx, repositoryId, tag, after);',
    '',
    RULES,
  ),
  mutation(
    'the same for files',
    'src/registry/files/put.ts',
    'await refuseReturn(tx, repository.id, tag, built.digest);',
    '',
    RULES,
  ),
  mutation(
    'that a version which was pushed whole does not grow',
    'src/registry/files/change.ts',
    "if (change === 'adds' && !adopted) return;",
    "if (change === 'adds') return;",
    RULES,
  ),
  mutation(
    'that a rule waits for moves under way',
    'src/registry/queries/immutability.ts',
    'select pg_advisory_xact_lock(',
    'select pg_advisory_xact_lock_shared(',
    IMMUTABLE_RACES,
  ),
  mutation('that a held manifest stays', 'src/registry/manifests.ts', 'await refuseHeld(tx, row.id, text);', '', HOLDS),
  mutation(
    'that a hold ends',
    'src/registry/queries/holds.ts',
    '(h.expires_at is null or h.expires_at > now())',
    '(true)',
    HOLDS,
  ),
  mutation(
    'that a held repository stays',
    'src/registry/history/delete-repository.ts',
    'await refuseHeldRepository(db, repository.id);',
    '',
    HOLDS,
  ),
  mutation(
    "that a repository is the project's",
    WHERE,
    '!repository || repository.projectId !== target.project?.id',
    '!repository',
    TAGS,
  ),
  mutation('that who may not pull sees nothing', WHERE, "sees.effect === 'deny' || ", '', TAGS),
  mutation(
    'the right to change something there',
    WHERE,
    "if (action !== 'pull') await requireRight(registry, principal, scene, action);",
    '',
    HOLDS,
  ),
  mutation('that a former name is not written', WHERE, 'if (moved) throw movedRefusal(scene);', '', RENAMED),
  mutation(
    'that a tag is restored to what it was',
    'src/registry/history/restore-tag.ts',
    'if (!(await everPointedAt(registry.db, repository.id, tag, wanted))) {',
    'if (false) {',
    TAGS,
  ),
  mutation(
    'that blobs come back with what needs them',
    'src/registry/history/restore-manifests.ts',
    'await showLinks(tx, repository.id, comingIds);',
    '',
    TAGS,
  ),
  mutation(
    'that links are held while they are restored',
    'src/registry/queries/restore.ts',
    'order by blob_id for key share`',
    'order by blob_id`',
    RESTORE_RACES,
  ),
  mutation(
    'that what is incomplete does not come back',
    'src/registry/history/restore-manifests.ts',
    'if (absent) {',
    'if (false) {',
    TRASH,
  ),
  mutation(
    'that a restored tag is under its rule',
    'src/registry/history/give-back.ts',
    'await refuseReturn(tx, repositoryId, tag, digestToBytes(manifest.digest));',
    '',
    TRASH,
  ),
  mutation(
    'that what an index lists is not purged',
    'src/registry/history/purge.ts',
    'return !by;',
    'return true;',
    TRASH,
  ),
  mutation(
    'that a lease holds',
    'src/registry/queries/trash.ts',
    'rb.leased_until > now() and not',
    'false and not',
    TRASH,
  ),
  mutation(
    'who sees the trash',
    'src/api/trash-routes.ts',
    "'delete', { ...target, path: row.repository }",
    "'pull', { ...target, path: row.repository }",
    TRASH,
  ),
  mutation(
    'that an image stays which an index lists by now',
    'src/registry/history/delete-repository.ts',
    'locked.filter(({ id }) => !listed.has(id))',
    'locked',
    RESTORE_RACES,
  ),
  mutation(
    'that a history which keeps tags from moving stays',
    'src/registry/queries/repository-delete.ts',
    'not p.has_immutability',
    'true',
    TRASH,
  ),
];
