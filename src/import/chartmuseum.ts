/**
 * `berth import chartmuseum`: takes over the charts of a ChartMuseum's storage folder, or of any chart repository. What the
 * hub has with the same bytes is left alone, so an import that was cut short is started again and goes on.
 */
import { createHash } from 'node:crypto';
import { ChartRefused } from '../registry/charts/refused.ts';
import { readChart } from '../registry/charts/read.ts';
import { createHub, type Hub, type Listing } from './hub.ts';
import { openSource, type Candidate } from './source.ts';
import { type Credentials, TransferFailed } from './transfer.ts';

export interface Import {
  /** A folder, or the URL of a repository or its index. */
  readonly from: string;
  readonly sourceCredentials: Credentials | undefined;
  /** Where the charts go, such as `acme/charts`. Folders below the source's become namespaces below this one. */
  readonly namespace: string;
  readonly hub: URL;
  readonly credentials: Credentials;
  /** Charts under way at the same time. */
  readonly parallel: number;
  /** Told of what did not go well, and at the end of everything in one line. */
  readonly say: (line: string) => void;
}

interface Tally {
  imported: number;
  /** Were there, and got their provenance file. */
  completed: number;
  skipped: number;
  failed: number;
}

/**
 * @returns the exit code: 1 when something was not taken over
 * @throws {TransferFailed} when nothing could be
 */
export async function importChartMuseum(options: Import): Promise<number> {
  const { namespace, say } = options;
  const source = await openSource(options.from, options.sourceCredentials);
  // ChartMuseum has an empty index for every tenant that it never heard of.
  if (source.candidates.length + source.unusable.length === 0)
    throw new TransferFailed(`${options.from} holds no charts`);
  const hub = createHub(options.hub, options.credentials);
  const tally: Tally = { imported: 0, completed: 0, skipped: 0, failed: source.unusable.length };
  for (const reason of source.unusable) say(`not imported  ${reason}`);
  for (const [subfolder, candidates] of Map.groupBy(source.candidates, (candidate) => candidate.subfolder)) {
    const target = [namespace, subfolder].filter((part) => part !== '').join('/');
    const before = await hub.list(target);
    const sent = new Map<string, string>();
    await each(options.parallel, candidates, async (candidate) => {
      const outcome = await take(hub, target, before, candidate).catch((error: Error) => {
        if (error instanceof TransferFailed || error instanceof ChartRefused) return failure(error.message);
        throw error;
      });
      tally[outcome.kind] += 1;
      if (outcome.kind === 'failed') say(`not imported  ${candidate.label}: ${outcome.reason}`);
      if (outcome.kind === 'imported') sent.set(outcome.file, outcome.digest);
    });
    for (const line of await unlisted(hub, target, sent)) say(line);
  }
  const completed = tally.completed === 0 ? '' : `${tally.completed} completed by a provenance file, `;
  say(`${tally.imported} imported, ${completed}${tally.skipped} skipped as they were there, ${tally.failed} failed`);
  return tally.failed === 0 ? 0 : 1;
}

type Outcome =
  | { readonly kind: 'imported'; readonly file: string; readonly digest: string }
  | { readonly kind: 'completed' | 'skipped' }
  | { readonly kind: 'failed'; readonly reason: string };

function failure(reason: string): Outcome {
  return { kind: 'failed', reason };
}

async function take(hub: Hub, namespace: string, there: Listing, candidate: Candidate): Promise<Outcome> {
  const { claim } = candidate;
  const held = claim && there.get(claim.file);
  // What an index says is enough to leave alone what is here; nothing is taken over on its word.
  if (claim && held !== undefined && held === claim.sha256) return complete(hub, namespace, candidate, claim.file);
  const bytes = await candidate.archive();
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (claim?.sha256 && claim.sha256 !== digest) {
    return failure(`the index says sha256 ${claim.sha256}, and what came has ${digest}`);
  }
  const { name, version } = (await readChart(bytes)).metadata;
  const file = `${name}-${version}.tgz`;
  if (claim && claim.file !== file) return failure(`the index calls it ${claim.file}, and in it is ${file}`);
  if (there.get(file) === digest) return complete(hub, namespace, candidate, file);
  const refused = await hub.put(namespace, { file, bytes }, await candidate.provenance());
  return refused === undefined ? { kind: 'imported', file, digest } : failure(refused);
}

/** For a chart that is there already: its provenance file may have been added since, or been missed. */
async function complete(hub: Hub, namespace: string, candidate: Candidate, file: string): Promise<Outcome> {
  const provenance = await candidate.provenance();
  if (provenance === undefined) return { kind: 'skipped' };
  const held = await hub.provenance(namespace, file);
  if (held?.equals(provenance)) return { kind: 'skipped' };
  if (held) return failure('its provenance file differs from the one that is there');
  const refused = await hub.putProvenance(namespace, provenance);
  return refused === undefined ? { kind: 'completed' } : failure(`its provenance file: ${refused}`);
}

/** An import looks at what it has done: everything that was sent has to be in the index that helm will read. */
async function unlisted(hub: Hub, namespace: string, sent: ReadonlyMap<string, string>): Promise<string[]> {
  if (sent.size === 0) return [];
  const now = await hub.list(namespace);
  return [...sent]
    .filter(([file, digest]) => now.get(file) !== digest)
    .map(([file]) => `look at      ${namespace}/${file}: the hub has it, but does not list it (was it yanked?)`);
}

async function each<Item>(width: number, items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) await work(items[next++] as Item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
}
