/**
 * Orphans: signatures, SBOMs and whatever else refers to a manifest that is gone for good. They go to the trash like anything
 * that is deleted, and can be brought back for as long.
 */
import { digestFromBytes } from '../../blobs/digest.ts';
import type { Transaction } from '../../db/database.ts';
import { recordEvent } from '../../jobs/outbox.ts';
import { lockFreeRepositories } from '../queries/gc-links.ts';
import {
  endReview,
  FIRST_SUBJECT,
  isHereAgain,
  lockDueSubject,
  lockFreeManifests,
  lockFreeTags,
  putReviewOff,
  relockSubject,
  selectDependentFacts,
  selectDependents,
  selectProjectOf,
  type DependentRow,
  type Subject,
  type SubjectCursor,
} from '../queries/gc-orphans.ts';
import { selectNow } from '../queries/gc-run.ts';
import { hideManifests } from '../queries/manifests.ts';
import { bumpRepositoryEpoch } from '../queries/repositories.ts';
import { recordTagMoves, removeTags } from '../queries/tags.ts';
import type { RunInProgress } from './run.ts';

const PAGE = 200;
/** For what somebody has locked: the next run looks again. */
const NEXT_RUN = '-infinity';

/** Looks at what refers to each subject that is due now; returns how many orphans went to the trash. */
export async function reviewOrphans(run: RunInProgress): Promise<number> {
  const until = await selectNow(run.world.db);
  let orphans = 0;
  let after = FIRST_SUBJECT;
  while (run.goesOn) {
    const began = await run.batch((tx) => reviewSubject(tx, (page) => lockDueSubject(page, { until, after })));
    if (!began.subject) return orphans;
    orphans += began.removed.orphans;
    let { page } = began;
    after = began.subject;
    while (page && run.goesOn) {
      const from = page;
      const went = await run.batch((tx) => reviewPage(tx, began.subject as Subject, from));
      orphans += went.removed.orphans;
      page = went.page;
    }
  }
  return orphans;
}

/** Where the next page of a subject's dependents begins, and what the pages before have to wait for. */
interface Page {
  readonly after: number;
  readonly until: string | undefined;
}

interface Reviewed {
  readonly removed: { readonly orphans: number };
  readonly subject: SubjectCursor | undefined;
  readonly page: Page | undefined;
}

async function reviewSubject(
  tx: Transaction,
  lock: (tx: Transaction) => Promise<SubjectCursor | undefined>,
): Promise<Reviewed> {
  const subject = await lock(tx);
  if (!subject) return { removed: { orphans: 0 }, subject, page: undefined };
  const { removed, page } = await reviewPage(tx, subject, { after: 0, until: undefined });
  return { removed, subject, page };
}

async function reviewPage(tx: Transaction, subject: Subject, from: Page) {
  const nothing = { removed: { orphans: 0 }, page: undefined };
  if (!(await relockSubject(tx, subject))) return nothing;
  // As for deleting by hand: the repository first.
  if ((await lockFreeRepositories(tx, [subject.repository_id])).size === 0) return nothing;
  if (await isHereAgain(tx, subject)) {
    await endReview(tx, subject);
    return nothing;
  }
  const ids = await selectDependents(tx, subject, from.after, PAGE);
  const { orphans, until } = await hideOrphans(tx, subject, ids);
  const wait = [until, from.until].filter((each) => each !== undefined).sort()[0];
  if (ids.length === PAGE) return { removed: { orphans }, page: { after: ids.at(-1) as number, until: wait } };
  if (wait === undefined) await endReview(tx, subject);
  else await putReviewOff(tx, subject, wait);
  return { removed: { orphans }, page: undefined };
}

/** Moves what nothing keeps to the trash; says from when the others are worth another look. */
async function hideOrphans(
  tx: Transaction,
  subject: Subject,
  ids: readonly number[],
): Promise<{ orphans: number; until: string | undefined }> {
  const locked = ids.length === 0 ? [] : await lockFreeManifests(tx, ids);
  const waits: string[] = locked.length < ids.length ? [NEXT_RUN] : [];
  let orphans = 0;
  let rest = locked;
  // Again for what an index listed that went just now: the list of referrers under a fallback tag is one.
  while (rest.length > 0) {
    const facts = (await selectDependentFacts(tx, subject, rest)).filter((row) => !row.named);
    const free = facts.filter((row) => row.until === null);
    const going = await withTheirTags(tx, subject, free);
    if (going.length > 0) await hide(tx, subject, going);
    orphans += going.length;
    const gone = new Set(going.map((row) => row.id));
    rest = facts.filter((row) => !gone.has(row.id)).map((row) => row.id);
    if (going.length > 0) continue;
    waits.push(...facts.map((row) => row.until ?? NEXT_RUN));
    break;
  }
  return { orphans, until: waits.sort()[0] };
}

/** Those whose tags could all be locked. */
async function withTheirTags(tx: Transaction, { repository_id }: Subject, rows: readonly DependentRow[]) {
  const names = rows.flatMap((row) => row.tags);
  const locked = names.length === 0 ? new Set<string>() : await lockFreeTags(tx, repository_id, names);
  return rows.filter((row) => row.tags.every((name) => locked.has(name)));
}

async function hide(tx: Transaction, subject: Subject, rows: readonly DependentRow[]): Promise<void> {
  const { repository_id: repositoryId } = subject;
  const tagged = rows.flatMap(({ digest, tags }) => tags.map((name) => ({ name, digest })));
  if (tagged.length > 0) {
    const names = tagged.map(({ name }) => name);
    await removeTags(tx, repositoryId, names);
    const before = tagged.map(({ digest }) => digest);
    await recordTagMoves(tx, { repositoryId, actorId: null, names, before, after: null });
  }
  await hideManifests(tx, repositoryId, rows, { reason: 'orphan', runId: null, actorId: null });
  await bumpRepositoryEpoch(tx, repositoryId);
  const projectId = await selectProjectOf(tx, repositoryId);
  for (const { digest, tags } of rows) {
    await recordEvent(tx, {
      type: 'manifest.deleted',
      actorId: 0,
      projectId,
      repositoryId,
      data: { digest: digestFromBytes(digest), tags, reason: 'orphan', subject: digestFromBytes(subject.digest) },
    });
  }
}
