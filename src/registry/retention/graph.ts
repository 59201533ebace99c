/**
 * A repository as retention looks at it: columns instead of objects, manifests by their place in the order of ids. Some 60 bytes
 * for a manifest, and 100 for a tag with its name.
 */
import type { Database } from '../../db/database.ts';
import type { Kind } from '../kinds.ts';
import {
  inSnapshot,
  loadChildren,
  loadHolds,
  loadLosses,
  loadManifests,
  loadReferrers,
  loadTags,
  type LoadedEdge,
  type LoadedHold,
  type RetentionRepository,
} from '../queries/retention-load.ts';
import type { Pause } from './pause.ts';

/** Why one manifest needs another. */
export const CHILD = 1;
export const REFERRER = 2;
/** By a tag that stands for what refers to a digest. */
export const BY_TAG = 3;

export interface Graph {
  readonly repository: RetentionRepository;
  /** Seconds since 1970. */
  readonly at: number;
  readonly tags: TagColumns;
  readonly manifests: ManifestColumns;
  /** What keeps a manifest by hand, as words. */
  readonly holds: ReadonlyMap<number, LoadedHold>;
  readonly edges: Edges;
}

export interface TagColumns {
  readonly names: string[];
  /** The manifest's place; -1: it is not there. */
  readonly manifest: number[];
  readonly pushed: number[];
  /** NaN: never, as far as known. */
  readonly pulled: number[];
  /** Files have changed since its manifest was built. */
  readonly stale: boolean[];
  /** Of tags that stand for what refers to a digest: the place of its subject, -1 when it is not here. Else -2. */
  readonly subject: number[];
}

export interface ManifestColumns {
  readonly ids: number[];
  readonly kind: Kind[];
  /** When it was pushed first, or lost its last tag. */
  readonly since: number[];
  /** Of it or of anything that it lists. */
  readonly pulled: number[];
  readonly leased: boolean[];
}

/** What each manifest needs, one row after the other. */
export interface Edges {
  readonly start: Int32Array;
  readonly target: Int32Array;
  readonly why: Uint8Array;
}

/** A repository with more of anything is left alone and named in the report. */
export const MOST = 2_000_000;

/** Undefined when it is too large. @param losses whether it matters since when manifests are without a tag */
export function loadGraph(
  db: Database,
  repository: RetentionRepository,
  at: number,
  losses: boolean,
  pause: Pause,
): Promise<Graph | undefined> {
  return inSnapshot(db, async (tx) => {
    const manifests: ManifestColumns = { ids: [], kind: [], since: [], pulled: [], leased: [] };
    for await (const rows of loadManifests(tx, repository.id, at)) {
      for (const row of rows) {
        manifests.ids.push(row.id);
        manifests.kind.push(row.kind as Kind);
        manifests.since.push(row.created);
        manifests.pulled.push(row.pulled ?? NaN);
        manifests.leased.push(row.leased);
      }
      if (manifests.ids.length > MOST) return undefined;
      await pause();
    }
    const place = (id: number): number => search(manifests.ids, id);
    const list = { from: [] as number[], to: [] as number[], why: [] as number[] };
    const add = (from: number, to: number, why: number): void => {
      if (from < 0 || to < 0) return;
      list.from.push(from);
      list.to.push(to);
      list.why.push(why);
    };
    const load = async (pages: AsyncGenerator<LoadedEdge[]>, why: number): Promise<boolean> => {
      for await (const rows of pages) {
        for (const row of rows) add(place(row.from_id), place(row.to_id), why);
        if (list.from.length > MOST) return false;
        await pause();
      }
      return true;
    };
    if (!(await load(loadChildren(tx, repository.id), CHILD))) return undefined;
    if (!(await load(loadReferrers(tx, repository.id), REFERRER))) return undefined;
    const tags: TagColumns = { names: [], manifest: [], pushed: [], pulled: [], stale: [], subject: [] };
    for await (const rows of loadTags(tx, repository.id)) {
      for (const row of rows) {
        const manifest = place(row.manifest_id);
        const subject = row.follows ? (row.subject_id === null ? -1 : place(row.subject_id)) : -2;
        tags.names.push(row.name);
        tags.manifest.push(manifest);
        tags.pushed.push(row.pushed);
        tags.pulled.push(row.pulled ?? NaN);
        tags.stale.push(row.stale);
        tags.subject.push(subject);
        if (subject >= 0) add(subject, manifest, BY_TAG);
      }
      if (tags.names.length > MOST) return undefined;
      await pause();
    }
    const holds = new Map<number, LoadedHold>();
    for await (const rows of loadHolds(tx, repository.id, at)) {
      for (const row of rows) holds.set(place(row.manifest_id), row);
    }
    if (losses) {
      for await (const rows of loadLosses(tx, repository.id)) {
        for (const { manifest_id: id, lost } of rows) raise(manifests.since, place(id), lost);
        await pause();
      }
    }
    const edges = pack(manifests.ids.length, list);
    await spreadPulls(manifests.pulled, list, pause);
    return { repository, at, tags, manifests, holds, edges };
  });
}

function raise(column: number[], at: number, value: number): void {
  if (at >= 0 && value > (column[at] as number)) column[at] = value;
}

function pack(count: number, list: { from: number[]; to: number[]; why: number[] }): Edges {
  const start = new Int32Array(count + 1);
  for (const from of list.from) start[from + 1]!++;
  for (let i = 0; i < count; i++) start[i + 1]! += start[i]!;
  const next = start.slice();
  const target = new Int32Array(list.from.length);
  const why = new Uint8Array(list.from.length);
  for (let i = 0; i < list.from.length; i++) {
    const slot = next[list.from[i]!]!++;
    target[slot] = list.to[i]!;
    why[slot] = list.why[i]!;
  }
  return { start, target, why };
}

/** Nodes fetch a platform by its own digest; that is a pull of the index that lists it, and of the index above. */
async function spreadPulls(
  pulled: number[],
  list: { readonly from: number[]; readonly to: number[]; readonly why: number[] },
  pause: Pause,
): Promise<void> {
  for (let changed = true; changed;) {
    changed = false;
    for (let i = 0; i < list.from.length; i++) {
      if (i % 1_024 === 0) await pause();
      if (list.why[i] !== CHILD) continue;
      const [parent, child] = [pulled[list.from[i]!]!, pulled[list.to[i]!]!];
      if (child > parent || (Number.isNaN(parent) && !Number.isNaN(child))) {
        pulled[list.from[i]!] = child;
        changed = true;
      }
    }
  }
}

/** Where the id is in the sorted list; -1: nowhere. */
function search(ids: readonly number[], id: number): number {
  let low = 0;
  let high = ids.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = ids[middle]!;
    if (found === id) return middle;
    if (found < id) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
