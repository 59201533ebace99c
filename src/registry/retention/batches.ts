/** A plan, cut into transactions: in an order in which nothing goes before what needs it. */
import type { Plan } from './plan.ts';
import { goes } from './judge-manifests.ts';
import type { Pause } from './pause.ts';
import { CONDEMNED } from './plan-shapes.ts';

export interface Batch {
  /** Places of manifests, those that need others first. */
  readonly manifests: readonly number[];
  /** Tags that go with them, or, where there are none, tags whose manifests stay. */
  readonly tags: readonly number[];
}

const MOST_MANIFESTS = 200;
const MOST_TAGS = 1_000;

export async function* batchesOf(plan: Plan, pause: Pause): AsyncGenerator<Batch> {
  const { graph, fates, manifests } = plan;
  /** Tags that go, by the manifest that goes with them. */
  const tagsOf = new Map<number, number[]>();
  const alone: number[] = [];
  for (let tag = 0; tag < fates.length; tag++) {
    if (tag % 1_024 === 0) await pause();
    if (fates[tag] !== CONDEMNED) continue;
    const manifest = graph.tags.manifest[tag]!;
    if (goes(manifests.why[manifest]!)) {
      const list = tagsOf.get(manifest);
      if (list) list.push(tag);
      else tagsOf.set(manifest, [tag]);
      continue;
    }
    alone.push(tag);
  }
  let batch: { manifests: number[]; tags: number[] } = { manifests: [], tags: [] };
  for (const manifest of await inOrder(plan, pause)) {
    batch.manifests.push(manifest);
    for (const tag of tagsOf.get(manifest) ?? []) batch.tags.push(tag);
    if (batch.manifests.length < MOST_MANIFESTS && batch.tags.length < MOST_TAGS) continue;
    yield batch;
    batch = { manifests: [], tags: [] };
  }
  if (batch.manifests.length > 0) yield batch;
  // Last, since one that stands for a subject goes after it.
  for (let at = 0; at < alone.length; at += MOST_TAGS) yield { manifests: [], tags: alone.slice(at, at + MOST_TAGS) };
}

/** What goes, indexes before what they list and subjects before what refers to them. */
async function inOrder({ graph, manifests }: Plan, pause: Pause): Promise<Int32Array> {
  const { start, target } = graph.edges;
  const count = manifests.why.length;
  const seen = new Uint8Array(count);
  /** The next edge to follow, of those on the path. */
  const next = start.slice(0, count);
  const finished: number[] = [];
  const path: number[] = [];
  for (let root = 0; root < count; root++) {
    if (root % 1_024 === 0) await pause();
    if (seen[root] === 1 || !goes(manifests.why[root]!)) continue;
    seen[root] = 1;
    path.push(root);
    for (let steps = 1; path.length > 0; steps++) {
      if (steps % 1_024 === 0) await pause();
      const i = path.at(-1)!;
      if (next[i] === start[i + 1]) {
        finished.push(i);
        path.pop();
        continue;
      }
      const other = target[next[i]!++]!;
      // Circles exist only through tags; one of their edges is then not in order, and its end is left for a later run.
      if (seen[other] === 1 || !goes(manifests.why[other]!)) continue;
      seen[other] = 1;
      path.push(other);
    }
  }
  return Int32Array.from(finished.toReversed());
}
