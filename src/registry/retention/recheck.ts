/** What changed between a decision and the moment in which it would be carried out. Plain data in, reasons to leave it out. */
import type { ManifestNow, TagNow } from '../queries/retention-delete.ts';

export interface DoomedTag {
  readonly name: string;
  readonly manifestId: number;
  readonly pushed: number;
}

export interface Looked {
  readonly tags: readonly DoomedTag[];
  /** Ids of manifests that are meant to go. */
  readonly manifests: readonly number[];
  /** Of those, what was built a moment ago out of a version's files: nobody pushed it, and it may stay without its tag. */
  readonly built: ReadonlySet<number>;
  /** From each of them to those of them that it needs, or that refer to it. */
  readonly needs: ReadonlyMap<number, readonly number[]>;
  /** When the decision was made; pulls since count when a rule keeps what is pulled, else Infinity. */
  readonly pulledAfter: number;
  readonly immutable: (tag: string) => string | undefined;
  readonly tagsNow: readonly TagNow[];
  readonly manifestsNow: ReadonlyMap<number, ManifestNow>;
  /** Live, whoever has them locked. */
  readonly live: ReadonlySet<number>;
}

/** Names and ids with why they stay, after all. What is gone already is in neither, and not among those that go. */
export interface Left {
  readonly tags: Map<string, string>;
  readonly manifests: Map<number, string>;
  readonly goneTags: ReadonlySet<string>;
}

export function whatStays(looked: Looked): Left {
  const { tagsNow, manifestsNow, live, built } = looked;
  const now = new Map(tagsNow.map((tag) => [tag.name, tag]));
  const planned = new Set(looked.tags.map(({ name }) => name));
  const left: Left = {
    tags: new Map(),
    manifests: new Map(),
    goneTags: new Set(looked.tags.filter(({ name }) => !now.has(name)).map(({ name }) => name)),
  };
  for (const id of looked.manifests) {
    const reason = live.has(id) ? manifestStays(manifestsNow.get(id), built.has(id), looked.pulledAfter) : undefined;
    if (reason !== undefined) left.manifests.set(id, reason);
  }
  for (const tag of looked.tags) {
    const found = now.get(tag.name);
    const reason = found && tagStays(tag, found, looked);
    if (reason !== undefined) left.tags.set(tag.name, reason);
  }
  const meant = new Set(looked.manifests);
  for (const { name, manifest_id: id } of tagsNow) {
    if (meant.has(id) && !planned.has(name) && !left.manifests.has(id))
      left.manifests.set(id, `it has the tag ${name}`);
  }
  settleTies(looked, left);
  return left;
}

/** What stays keeps its tags, and what it needs; a tag that stays keeps what it points at. */
function settleTies({ tags, tagsNow, needs, built, live }: Looked, left: Left): void {
  const subjects = new Map(tagsNow.map((tag) => [tag.name, tag.subject_id]));
  const stays = (id: number): boolean => left.manifests.has(id) && live.has(id);
  for (let changed = true; changed;) {
    changed = false;
    const leave = <K>(map: Map<K, string>, key: K, reason: string): void => {
      if (map.has(key)) return;
      map.set(key, reason);
      changed = true;
    };
    for (const { name, manifestId } of tags) {
      if (left.goneTags.has(name)) continue;
      const subject = subjects.get(name);
      if (subject !== undefined && subject !== null && stays(subject)) leave(left.tags, name, 'its subject stays');
      if (stays(manifestId) && !built.has(manifestId)) {
        leave(left.tags, name, `what it points at stays: ${left.manifests.get(manifestId)}`);
      }
      if (left.tags.has(name)) leave(left.manifests, manifestId, `its tag ${name} stays`);
    }
    for (const [id, others] of needs) {
      if (!stays(id)) continue;
      for (const other of others)
        leave(left.manifests, other, 'something that stays needs it, or is what it refers to');
    }
  }
}

function manifestStays(now: ManifestNow | undefined, built: boolean, pulledAfter: number): string | undefined {
  if (!now) return 'somebody else is changing it';
  if (now.leased && !built) return 'it was pushed again';
  if (now.held) return 'a hold was placed on it';
  if (now.listed) return 'an index lists it that stays';
  if (now.refers) return 'what it refers to stays';
  if (now.referred) return 'something refers to it that was pushed meanwhile';
  if (!built && now.pulled !== null && now.pulled > pulledAfter) return 'it was pulled meanwhile';
  return undefined;
}

function tagStays(
  tag: DoomedTag,
  now: TagNow,
  { immutable, pulledAfter, manifests, built }: Looked,
): string | undefined {
  if (!now.locked) return 'somebody else is changing it';
  if (now.manifest_id !== tag.manifestId || now.pushed !== tag.pushed || now.stale) return 'it was moved meanwhile';
  const rule = immutable(tag.name);
  if (rule !== undefined) return `it is immutable (${rule})`;
  if (now.pulled !== null && now.pulled > pulledAfter) return 'it was pulled meanwhile';
  if (!built.has(now.manifest_id) && now.leased) return 'what it points at was pushed again';
  if (now.held) return 'a hold was placed on what it points at';
  if (now.subject_id !== null && !manifests.includes(now.subject_id)) return 'its subject stays';
  return undefined;
}
