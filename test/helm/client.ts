/** What helm, curl and cm-push send to the classic door. */
import { basic, send, unique, type Answer, type Credentials } from '../harness/oci-client.ts';
import type { TestHub } from '../harness/hub.ts';

export interface Classic {
  readonly namespace: string;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  request(method: string, path: string, headers?: Record<string, string>, body?: Buffer): Promise<Answer>;
  /** `curl --data-binary` */
  upload(bytes: Buffer, query?: string): Promise<Answer>;
  /** `curl -F` */
  form(fields: Record<string, Buffer>, query?: string): Promise<Answer>;
  index(): Promise<Index>;
}

export interface Index {
  readonly apiVersion: string;
  readonly generated: string;
  readonly serverInfo: { contextPath: string };
  readonly entries: Record<string, IndexEntry[]>;
}

export interface IndexEntry {
  readonly name: string;
  readonly version: string;
  readonly urls: string[];
  readonly digest: string;
  readonly created: string;
  readonly [field: string]: unknown;
}

export function classic(
  hub: Pick<TestHub, 'origin' | 'adminCredentials'>,
  namespace: string,
  credentials: Credentials | undefined = hub.adminCredentials,
): Classic {
  const request: Classic['request'] = (method, path, headers = {}, body) =>
    send(hub.origin, {
      method,
      path: `/charts/${namespace}${path}`,
      headers: { ...(credentials && { Authorization: basic(credentials) }), ...headers },
      ...(body && { body }),
    });
  return {
    namespace,
    request,
    get: (path, headers) => request('GET', path, headers),
    upload: (bytes, query = '') =>
      request('POST', `/api/charts${query}`, { 'Content-Type': 'application/x-www-form-urlencoded' }, bytes),
    form(fields, query = '') {
      const { type, body } = multipart(fields);
      return request('POST', `/api/charts${query}`, { 'Content-Type': type }, body);
    },
    async index() {
      const answer = await request('GET', '/index.yaml');
      if (answer.status !== 200) throw new Error(`index.yaml: ${answer.status} ${answer.body.toString()}`);
      return JSON.parse(answer.body.toString()) as Index;
    },
  };
}

export function multipart(fields: Record<string, Buffer>): { type: string; body: Buffer } {
  const boundary = unique('boundary');
  const parts = Object.entries(fields).flatMap(([name, content]) => [
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${name}.tgz"\r\n` +
        'Content-Type: application/octet-stream\r\n\r\n',
    ),
    content,
    Buffer.from('\r\n'),
  ]);
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
  };
}
