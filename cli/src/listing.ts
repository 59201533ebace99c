/** What a hub says is in a version. */
import { CliError, EXIT } from './errors.ts';
import type { Hub } from './http.ts';
import { filesPath, showReference, type Reference } from './reference.ts';

export interface Entry {
  readonly path: string;
  readonly size: number;
  readonly digest: string;
}

export interface Listing {
  readonly repository: string;
  readonly version: string;
  readonly digest?: string;
  readonly final: boolean;
  readonly properties?: Readonly<Record<string, string>>;
  readonly path: string;
  readonly folders?: readonly string[];
  readonly files: readonly Entry[];
}

export async function listFolder(hub: Hub, reference: Reference, recursive: boolean): Promise<Listing> {
  const path = reference.path === '' || reference.path.endsWith('/') ? reference.path : `${reference.path}/`;
  const where = filesPath({ ...reference, path });
  const listing = await hub.json<Listing>('GET', recursive ? `${where}?recursive` : where);
  if (!Array.isArray(listing?.files)) throw new CliError(`${hub.origin} did not answer as a Berth hub does`);
  return listing;
}

/** The file of that path; undefined when it may be a folder. */
export async function findFile(hub: Hub, reference: Reference): Promise<Entry | undefined> {
  const { path } = reference;
  if (path === '' || path.endsWith('/')) return undefined;
  const answer = await hub.ask({ method: 'HEAD', path: filesPath(reference) }, [404]);
  if (answer.status === 404) return undefined;
  const digest = /^"(sha256:[0-9a-f]{64})"$/.exec(answer.header('etag') ?? '')?.[1];
  const size = Number(answer.header('content-length'));
  if (digest === undefined || !Number.isSafeInteger(size)) throw notFiles(reference);
  return { path, digest, size };
}

function notFiles(reference: Reference): CliError {
  return new CliError(`${showReference(reference)} is no file with a digest`, EXIT.failure);
}
