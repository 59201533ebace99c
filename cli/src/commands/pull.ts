/** `berth pull`: a version, a folder of it, or one file. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CliError, printable, usage } from '../errors.ts';
import { download, type Wanted } from '../download.ts';
import type { Hub } from '../http.ts';
import { findFile, listFolder, type Entry } from '../listing.ts';
import { countText, sizeText } from '../units.ts';
import { placeFor } from '../paths.ts';
import { inParallel } from '../pool.ts';
import { filesPath, parseReference, showReference, type Reference } from '../reference.ts';
import { openHub, type Session } from '../session.ts';

export interface PullOptions {
  readonly output?: string;
  readonly jobs: number;
  readonly dryRun?: boolean;
}

export async function pull(session: Session, text: string, options: PullOptions): Promise<void> {
  const reference = parseReference(text);
  if (reference.version === undefined) throw usage(`Say which version: ${reference.repository}:latest, for example`);
  const hub = await openHub(session, reference);
  const outcomes = { written: 0, unchanged: 0 };
  let found: Found;
  try {
    found = await find(hub, reference, options.output);
    const { wanted } = found;
    refuseTwins(wanted);
    const progress = session.output.progress('pulling');
    progress.expect(wanted.length, sum(wanted));
    await inParallel(options.dryRun ? [] : wanted, options.jobs, async (file) => {
      const bar = progress.file(file.path, file.size);
      // Folders are looked at and made just before the file goes there.
      const place = file.below === undefined ? file.place : await placeFor(file.below, file.inside);
      outcomes[await download(hub, { ...file, place }, bar, (line) => session.output.note(line))]++;
      bar.done();
    });
  } finally {
    session.output.end();
    hub.close();
  }
  const { wanted, version } = found;
  const files = wanted.map(({ inside: path, size, digest, place }) => ({ path, size, digest, place }));
  const value = { reference: showReference({ ...reference, version }), bytes: sum(wanted), ...outcomes, files };
  const left = outcomes.unchanged === 0 ? '' : `, ${outcomes.unchanged.toLocaleString('en')} of them here already`;
  const verb = options.dryRun ? 'would pull' : 'pulled';
  const said = `${verb} ${countText(wanted.length)}, ${sizeText(sum(wanted))} of ${value.reference}${left}`;
  session.output.result(
    value,
    said,
    files.map(({ place }) => place),
  );
}

interface Target extends Wanted {
  /** The path in the version, and the folder that it goes below; none for a file whose place was named. */
  readonly inside: string;
  readonly below?: string;
}

interface Found {
  readonly version: string;
  readonly wanted: readonly Target[];
}

async function find(hub: Hub, reference: Reference, output: string | undefined): Promise<Found> {
  const file = await findFile(hub, reference);
  if (file) return { version: reference.version as string, wanted: [await singleTarget(reference, file, output)] };
  const listing = await listFolder(hub, reference, true);
  const { repository, version, digest } = listing;
  // By digest it stays the same version until the last file is here.
  const pinned = { repository, version: digest ?? version };
  const below = resolve(output ?? '.');
  const prefix = listing.path;
  const wanted = listing.files.map((entry) => {
    if (!entry.path.startsWith(prefix)) throw new CliError('The hub lists files of another folder');
    const inside = entry.path.slice(prefix.length);
    return { ...target({ ...pinned, path: entry.path }, entry), inside, below, place: join(below, inside) };
  });
  return { version, wanted };
}

async function singleTarget(reference: Reference, entry: Entry, output = '.'): Promise<Target> {
  const name = basename(entry.path);
  const folder =
    output.endsWith('/') ||
    (await stat(output).then(
      (facts) => facts.isDirectory(),
      () => false,
    ));
  const place = folder ? join(output, name) : output;
  const below = folder ? resolve(output) : resolve(dirname(output));
  return { ...target(reference, entry), place, inside: folder ? name : basename(place), below };
}

function target(reference: Reference, { digest, size }: Entry): Pick<Wanted, 'path' | 'digest' | 'size'> {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest) || !Number.isSafeInteger(size) || size < 0) {
    throw new CliError(`The hub says no digest of ${printable(reference.path)} that can be checked`);
  }
  return { path: filesPath(reference), digest, size };
}

/** Where a disk does not tell A from a, one file would replace the other. */
function refuseTwins(wanted: readonly Target[]): void {
  const fold = process.platform === 'win32' || process.platform === 'darwin';
  const seen = new Set<string>();
  for (const { place } of wanted) {
    const key = fold ? place.normalize('NFC').toLowerCase() : place;
    if (seen.has(key)) throw new CliError(`Two files of the version would be ${printable(place)} on this disk`);
    seen.add(key);
  }
}

function sum(files: readonly { readonly size: number }[]): number {
  return files.reduce((bytes, { size }) => bytes + size, 0);
}
