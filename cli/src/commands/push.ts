/** `berth push`: a folder becomes a version at once; files are put into one, beside what is there. */
import { stat } from 'node:fs/promises';
import { CliError, EXIT, HubError, printable, usage } from '../errors.ts';
import type { Hub } from '../http.ts';
import { checked, digestOf, filesBelow, oneFile, type Hashed, type LocalFile } from '../local-files.ts';
import { EMPTY_CONFIG, MANIFEST_TYPE, sha256, writeManifest } from '../manifest.ts';
import { columns } from '../output.ts';
import { countText, sizeText } from '../units.ts';
import { inParallel } from '../pool.ts';
import { filesPath, parseReference, requireTag, showReference, type Reference } from '../reference.ts';
import { openHub, type Session } from '../session.ts';
import { stateFolder } from '../settings.ts';
import { sendBlob, sendBytes } from '../upload-blob.ts';
import { putFile } from '../upload-file.ts';

/** As the hub takes it. */
const LARGEST_MANIFEST = 4 * 1024 * 1024;

export interface PushOptions {
  readonly add?: boolean;
  readonly replace?: boolean;
  readonly final?: boolean;
  readonly property: readonly string[];
  readonly jobs: number;
  readonly dryRun?: boolean;
}

/** @param given paths of this disk, and last the reference */
export async function push(session: Session, given: readonly string[], options: PushOptions): Promise<void> {
  const reference = parseReference(given.at(-1) as string);
  requireTag(reference);
  const sources = given.slice(0, -1);
  if (sources.length === 0) throw usage('Say what to push, and then where: berth push dist team/tools:1.2.3');
  const { files, folder } = await collect(sources, reference);
  const properties = propertiesOf(options.property);
  if (options.dryRun) return say(session, reference, files, {}, 'would push');
  const hub = await openHub(session, reference);
  const version = { ...reference, path: '' };
  const whole = folder && !options.add && reference.path === '';
  if (options.replace && !whole) throw usage('--replace is for one folder that becomes the whole version');
  const progress = session.output.progress('pushing');
  progress.expect(
    files.length,
    files.reduce((sum, { size }) => sum + size, 0),
  );
  const work = { session, hub, version, files, properties, options, progress };
  let more: object;
  try {
    more = whole ? await pushVersion(work) : await pushFiles(work);
    if (options.final) await hub.ask({ method: 'POST', path: `${filesPath(version)}?finalise` });
  } finally {
    session.output.end();
    hub.close();
  }
  say(session, version, files, more, 'pushed');
}

interface Push {
  readonly session: Session;
  readonly hub: Hub;
  readonly version: Reference;
  readonly files: readonly LocalFile[];
  readonly properties: Readonly<Record<string, string>>;
  readonly options: PushOptions;
  readonly progress: ReturnType<Session['output']['progress']>;
}

/** Bytes first, then one manifest: the version is there with all its files, or not at all. */
async function pushVersion({ session, hub, version, files, properties, options, progress }: Push): Promise<object> {
  const { repository } = version;
  const hashed = new Map<string, Hashed>();
  await inParallel(files, options.jobs, async (file) => {
    hashed.set(file.path, { ...file, digest: await digestOf(file.file) });
  });
  const all = files.map(({ path }) => hashed.get(path) as Hashed);
  const body = writeManifest(all, properties);
  if (body.length > LARGEST_MANIFEST)
    throw usage('The names and digests of a version take at most 4 MiB; push fewer files');
  const digest = sha256(body);
  const path = `/v2/${repository}/manifests/${version.version}`;
  // Asked before a byte is sent: what would be refused is refused now, and what is there already is not sent again.
  const before = await hub.ask({ method: 'HEAD', path, headers: { Accept: `${MANIFEST_TYPE}, */*` } }, [404]);
  if (before.header('docker-content-digest') === digest) return { digest, outcome: 'unchanged' };
  if (before.status !== 404 && !options.replace) {
    const sentence = `${showReference(version)} is there with other files; --replace makes it this folder, --add puts these files beside them`;
    throw new CliError(sentence, EXIT.conflict);
  }
  const note = (line: string): void => session.output.note(line);
  const target = { hub, repository, state: stateFolder(session.env), note };
  await sendBytes(target, EMPTY_CONFIG.digest, Buffer.from('{}'));
  const sent = new Map<string, Promise<void>>();
  await inParallel(all, options.jobs, async (file) => {
    const bar = progress.file(file.path, file.size);
    // Equal files are sent once.
    const sending = sent.get(file.digest) ?? sendBlob(target, file, bar);
    sent.set(file.digest, sending);
    await sending;
    bar.done();
  });
  await hub.ask({ method: 'PUT', path, headers: { 'Content-Type': MANIFEST_TYPE }, body });
  return { digest, outcome: before.status === 404 ? 'created' : 'replaced' };
}

/** One by one: each is in the version as soon as it is there, whoever else puts files into it. */
async function pushFiles({ session, hub, version, files, properties, options, progress }: Push): Promise<object> {
  const outcomes: Record<string, string> = {};
  await inParallel(files, options.jobs, async (file) => {
    const one = { ...file, digest: await digestOf(file.file) };
    const bar = progress.file(file.path, file.size);
    outcomes[file.path] = await putFile(hub, version, one, bar, (line) => session.output.note(line)).catch(named(file));
    bar.done();
  });
  if (Object.keys(properties).length > 0) await hub.json('PATCH', filesPath(version), { properties });
  return { outcomes };
}

/** Of many files, it is good to know which one was refused. */
function named({ path }: LocalFile): (error: unknown) => never {
  return (error) => {
    if (error instanceof HubError) error.message = `${printable(path)}: ${error.message}`;
    throw error;
  };
}

async function collect(
  sources: readonly string[],
  { path }: Reference,
): Promise<{ files: LocalFile[]; folder: boolean }> {
  const found: LocalFile[] = [];
  let folders = 0;
  for (const source of sources) {
    const facts = await stat(source).catch((error: NodeJS.ErrnoException) => {
      throw usage(error.code === 'ENOENT' ? `There is no ${printable(source)} here` : error.message);
    });
    if (facts.isDirectory()) {
      folders++;
      found.push(...(await filesBelow(source)));
    } else found.push(await oneFile(source));
  }
  const single = sources.length === 1 && folders === 0 && path !== '' && !path.endsWith('/');
  // A path without a slash at its end is the file's own name there, and else a folder.
  const files = found.map((file) =>
    single ? { ...file, path } : path === '' ? file : { ...file, path: `${path.replace(/\/$/, '')}/${file.path}` },
  );
  return { files: checked(files), folder: folders === 1 && sources.length === 1 };
}

function propertiesOf(given: readonly string[]): Record<string, string> {
  const pairs = given.map((text) => {
    const equals = text.indexOf('=');
    if (equals < 1) throw usage(`--property is name=value, not ${JSON.stringify(printable(text))}`);
    return [text.slice(0, equals), text.slice(equals + 1)] as const;
  });
  return Object.fromEntries(pairs);
}

function say(session: Session, version: Reference, files: readonly LocalFile[], more: object, verb: string): void {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const reference = showReference(version);
  const shown = files.map(({ path, size }) => ({ path, size }));
  const value = { reference, ...more, bytes, files: shown };
  const text = `${verb} ${countText(files.length)}, ${sizeText(bytes)} to ${reference}`;
  const lines = verb === 'pushed' ? [text] : [...columns(files.map(({ path, size }) => [sizeText(size), path])), text];
  session.output.result(value, lines, reference);
}
