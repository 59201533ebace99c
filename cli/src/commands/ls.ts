/** `berth ls`: projects, the repositories of one, the versions of one, the files of one. */
import type { Hub } from '../http.ts';
import { findFile, listFolder } from '../listing.ts';
import { columns } from '../output.ts';
import { sizeText } from '../units.ts';
import { filesPath, parseReference, showReference, type Reference } from '../reference.ts';
import { openHub, type Session } from '../session.ts';

interface Version {
  readonly version: string;
  readonly kind: string;
  readonly digest?: string;
  readonly final: boolean;
  readonly files?: number;
  readonly updated_at: string;
}

export async function list(
  session: Session,
  text: string | undefined,
  options: { recursive?: boolean },
): Promise<void> {
  const reference = text === undefined ? undefined : parseReference(text);
  const hub = await openHub(session, reference);
  try {
    if (reference === undefined) await listProjects(session, hub);
    else if (reference.version !== undefined) await listFiles(session, hub, reference, options.recursive ?? false);
    else if (reference.repository.includes('/')) await listVersions(session, hub, reference);
    else await listRepositories(session, hub, reference.repository);
  } finally {
    hub.close();
  }
}

async function listProjects({ output }: Session, hub: Hub): Promise<void> {
  const projects = await hub.list<{ name: string; visibility: string }>('/api/v1/projects');
  const names = projects.map(({ name }) => name);
  output.answer(projects, columns(projects.map(({ name, visibility }) => [name, visibility])), names);
}

async function listRepositories(session: Session, hub: Hub, project: string): Promise<void> {
  const path = `/api/v1/projects/${encodeURIComponent(project)}/repositories`;
  const all = await hub.list<{ path: string }>(path);
  session.output.answer(
    all,
    all.map((repository) => repository.path),
  );
}

async function listVersions({ output }: Session, hub: Hub, reference: Reference): Promise<void> {
  const all: Version[] = [];
  for (let last: string | undefined; ;) {
    const query = new URLSearchParams({ n: '1000', ...(last !== undefined && { last }) });
    const { versions } = await hub.json<{ versions: Version[] }>('GET', `${filesPath(reference)}?${query.toString()}`);
    all.push(...versions);
    if (versions.length < 1_000) break;
    last = versions.at(-1)?.version;
  }
  const rows = all.map(({ version, kind, final, files, updated_at }) => [
    version,
    kind,
    files === undefined ? '' : `${files} files`,
    final ? 'final' : '',
    updated_at,
  ]);
  output.answer(
    all,
    columns(rows),
    all.map(({ version }) => `${reference.repository}:${version}`),
  );
}

async function listFiles({ output }: Session, hub: Hub, reference: Reference, recursive: boolean): Promise<void> {
  const file = await findFile(hub, reference);
  const listing = file ? { files: [file] } : await listFolder(hub, reference, recursive);
  const folders = 'folders' in listing ? (listing.folders ?? []) : [];
  const rows = [
    ...folders.map((name) => ['', '', `${reference.path.replace(/([^/])$/, '$1/')}${name}/`]),
    ...listing.files.map(({ path, size, digest }) => [sizeText(size), digest.slice(0, 19), path]),
  ];
  const names = listing.files.map(({ path }) => showReference({ ...reference, path }));
  output.answer(listing, columns(rows), names);
}
