/** Requests to /files as curl would send them, with Basic credentials. */
import { createHash } from 'node:crypto';
import type { TestHub } from '../harness/hub.ts';
import { basic, send, unique, type Answer, type Ask, type Body, type Credentials } from '../harness/oci-client.ts';

export interface FilesClient {
  /** `acme/tools`, in a new project. */
  readonly repository: string;
  /** `/files/<repository>:<version>/<path>` */
  at(version: string, path?: string): string;
  ask(method: string, path: string, more?: Omit<Ask, 'method' | 'path'>): Promise<Answer>;
  get(version: string, path: string, headers?: Record<string, string>): Promise<Answer>;
  put(version: string, path: string, body: Body, headers?: Record<string, string>): Promise<Answer>;
}

/** A client for the credentials; undefined: nobody's. */
export function filesClient(
  hub: TestHub,
  repository: string,
  credentials: Credentials | undefined = hub.adminCredentials,
  origin = hub.origin,
): FilesClient {
  const at = (version: string, path = '') =>
    `/files/${repository}${version.includes(':') ? '@' : ':'}${version}/${path}`;
  const ask: FilesClient['ask'] = (method, path, more = {}) =>
    send(origin, {
      ...more,
      method,
      path,
      headers: { ...(credentials && { Authorization: basic(credentials) }), ...more.headers },
    });
  return {
    repository,
    at,
    ask,
    get: (version, path, headers = {}) => ask('GET', at(version, path), { headers }),
    put: (version, path, body, headers = {}) => ask('PUT', at(version, path), { body, headers }),
  };
}

/** A repository nobody else uses. */
export async function newFiles(hub: TestHub, project?: Parameters<TestHub['project']>[0]): Promise<FilesClient> {
  return filesClient(hub, `${await hub.project(project)}/${unique('tools')}`);
}

export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export interface Part {
  readonly name?: string;
  readonly filename?: string;
  readonly content: Buffer | string;
}

/** A form as curl -F writes it. */
export function form(
  parts: readonly Part[],
  boundary = 'x-boundary-x',
): { body: Buffer; headers: Record<string, string> } {
  const pieces = parts.flatMap(({ name = 'file', filename, content }) => [
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n` +
        `${filename === undefined ? '' : 'Content-Type: application/octet-stream\r\n'}\r\n`,
    ),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
  return {
    body: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]),
    headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
  };
}
