/** The registry operations that the bench needs, on one connection. Every unexpected answer throws. */
import { createHash } from 'node:crypto';
import type { Connection, Request } from './connection.ts';
import { chunkedRequest, countedRequest, headBytes, plainRequest, type Head } from './request.ts';
import type { ResponseReader } from './response-reader.ts';

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** How a blob is sent: as the docker engine does (POST, chunked PATCH, PUT), or in one piece (POST, PUT). */
export type Flow = 'docker' | 'monolithic';

export interface Payload {
  readonly digest: string;
  /** The bytes; for the docker flow with their chunked framing. */
  readonly parts: readonly Buffer[];
}

export interface Session {
  readonly origin: string;
  readonly authorization: string | undefined;
}

/** Head of a request of this session. */
export function head(session: Session, method: string, path: string, headers: Head['headers'] = {}): Head {
  return { method, path, host: new URL(session.origin).host, authorization: session.authorization, headers };
}

/** Sends a request and insists on the status. */
export async function expect(
  connection: Connection,
  request: Request,
  status: number,
  what: string,
): Promise<ResponseReader> {
  const response = await connection.exchange(request);
  if (response.status !== status) throw new Error(`${what} answered ${response.status}, not ${status}`);
  return response;
}

/** Pushes a blob and checks the digest that the server says it has stored. */
export async function pushBlob(
  connection: Connection,
  session: Session,
  repository: string,
  payload: Payload,
  flow: Flow,
): Promise<void> {
  const start = head(session, 'POST', `/v2/${repository}/blobs/uploads/`, { 'Content-Length': 0 });
  const opened = await expect(connection, { bytes: [headBytes(start)] }, 202, 'POST of an upload');
  let location = opened.header('Location');
  if (flow === 'docker') {
    const patch = chunkedRequest(head(session, 'PATCH', pathOf(location)), payload.parts);
    const patched = await expect(connection, patch, 202, 'PATCH of an upload');
    location = patched.header('Location');
  }
  const path = pathOf(location);
  const finish = `${path}${path.includes('?') ? '&' : '?'}digest=${encodeURIComponent(payload.digest)}`;
  const put = countedRequest(head(session, 'PUT', finish), flow === 'docker' ? [] : payload.parts);
  const done = await expect(connection, put, 201, 'PUT of an upload');
  const stored = done.header('Docker-Content-Digest');
  if (stored !== undefined && stored !== payload.digest) {
    throw new Error(`The server stored ${stored} where ${payload.digest} was pushed`);
  }
}

/** PUTs a manifest under a tag and checks the digest in the answer. */
export async function putManifest(
  connection: Connection,
  session: Session,
  repository: string,
  tag: string,
  manifest: Buffer,
): Promise<void> {
  const target = head(session, 'PUT', `/v2/${repository}/manifests/${tag}`, { 'Content-Type': MANIFEST_TYPE });
  const response = await expect(connection, countedRequest(target, [manifest]), 201, 'PUT of a manifest');
  const digest = sha256(manifest);
  if (response.header('Docker-Content-Digest') !== digest) {
    throw new Error(`The server stored ${response.header('Docker-Content-Digest')} where ${digest} was pushed`);
  }
}

/** Pulls a path and compares its sha256 with what was pushed. */
export async function verify(connection: Connection, session: Session, path: string, digest: string): Promise<void> {
  const hash = createHash('sha256');
  const request = plainRequest(head(session, 'GET', path, { Accept: MANIFEST_TYPE }));
  await expect(connection, { ...request, sink: (bytes) => hash.update(bytes) }, 200, `GET ${path}`);
  const pulled = `sha256:${hash.digest('hex')}`;
  if (pulled !== digest) throw new Error(`GET ${path} delivered ${pulled} where ${digest} was pushed`);
}

export function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function pathOf(location: string | undefined): string {
  if (location === undefined) throw new Error('The server named no Location for the upload');
  const url = new URL(location, 'http://any');
  return url.pathname + url.search;
}
