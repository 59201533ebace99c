/** A chart repository as somebody else may run it: an index that may be wrong, archives that may be missing. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Repository extends AsyncDisposable {
  readonly url: string;
  /** By path, such as `/index.yaml`. A number is a status to answer with instead. */
  readonly files: Map<string, Buffer | string | number>;
  /** Paths in the order in which they were asked for, each with what was said about who asks. */
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[];
  /** Asks for it on the next request to this path, and answers 503 instead. */
  busyOnce(path: string): void;
}

/** @param password wanted of everyone, if given, with any name */
export async function startRepository(password?: string): Promise<Repository> {
  const files: Repository['files'] = new Map();
  const requests: { path: string; authorization: string | undefined }[] = [];
  const busy = new Set<string>();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    const { authorization } = request.headers;
    requests.push({ path, authorization });
    const answer = (status: number, body: Buffer | string = '') => response.writeHead(status).end(body);
    if (busy.delete(path)) return answer(503);
    const given = Buffer.from((authorization ?? '').replace('Basic ', ''), 'base64').toString();
    if (password !== undefined && given.split(':')[1] !== password) return answer(401);
    const file = files.get(path) ?? 404;
    return typeof file === 'number' ? answer(file) : answer(200, file);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    requests,
    busyOnce: (path) => void busy.add(path),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
