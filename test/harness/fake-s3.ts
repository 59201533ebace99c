/**
 * An S3 server inside the test process: strict where S3 is, with faults on command. What it stores is in memory, equal
 * MiBs once, so an upload of many GiB of a repeating pattern costs nothing.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Blocks } from './fake-s3-content.ts';
import { Faults, OPERATIONS, type Fault, type InjectedFault, type Match, type Operation } from './fake-s3-faults.ts';
import { address, bodyOf, operationOf, send } from './fake-s3-http.ts';
import { operations, type Answer, type Call, type State } from './fake-s3-operations.ts';
import { authenticate } from './fake-s3-signature.ts';
import { errorXml, S3Error } from './fake-s3-xml.ts';

export { faults, OPERATIONS, type Operation } from './fake-s3-faults.ts';

export interface FakeS3 extends AsyncDisposable {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  /** What a client needs in its environment. */
  readonly env: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  /** Requests so far. */
  readonly counts: Record<Operation, number>;
  /** Keys of all objects, sorted. */
  objects(): string[];
  /** All multipart uploads that are neither complete nor aborted. */
  uploads(): { key: string; uploadId: string; parts: { n: number; size: number }[] }[];
  /** The bytes of an object. */
  body(key: string): Buffer | undefined;
  /** Makes the next `times` requests that match go wrong (one unless given). */
  fail(match: Match, fault: Fault, times?: number): InjectedFault;
  /** Makes all go well again; stalled requests go on. */
  heal(): void;
  /** Forgets all objects, uploads, faults and counts. */
  reset(): void;
  /** Resolves when no request is being worked on, those whose clients have gone included. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

export interface FakeS3Options {
  readonly bucket?: string;
  /** Entries on one page of a listing; 1,000 unless given. */
  readonly pageSize?: number;
  /** Checks signatures and the hashes of bodies; on unless given. Costs about as much as the client's own hashing. */
  readonly checkSignatures?: boolean;
}

const CREDENTIALS = { accessKeyId: 'FAKEACCESSKEY', secretAccessKey: 'fakesecretkey' };

export async function startFakeS3(options: FakeS3Options = {}): Promise<FakeS3> {
  const { bucket = 'berth', pageSize = 1_000, checkSignatures = true } = options;
  const state: State = { objects: new Map(), uploads: new Map(), pageSize, nextUpload: 1 };
  const injected = new Faults();
  const blocks = new Blocks();
  const counts = Object.fromEntries(OPERATIONS.map((name) => [name, 0])) as Record<Operation, number>;

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://fake');
    const { name, key } = address(url);
    const operation = operationOf(request.method ?? '', key, url.searchParams);
    counts[operation]++;
    const number = url.searchParams.get('partNumber');
    const trouble = injected.take({ operation, key, ...(number === null ? {} : { partNumber: Number(number) }) });
    const fault = trouble?.fault;
    const gone = new Promise<void>((resolve) => response.once('close', resolve));
    const done = fault !== undefined && 'done' in fault ? fault.done : true;
    const misbehave = async (): Promise<boolean> => {
      if (fault?.kind === 'reset') request.socket.resetAndDestroy();
      if (fault?.kind === 'stall') await Promise.race([trouble?.released, gone]);
      return request.socket.destroyed;
    };
    if (!done && (await misbehave())) return;

    const act = async (): Promise<Answer> => {
      const sha256 = checkSignatures ? authenticate(request, url, CREDENTIALS) : undefined;
      if (name !== bucket) throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
      const content = () => bodyOf(request, blocks, sha256);
      if (fault?.kind === 'refuse') {
        await content();
        throw new S3Error(fault.status, fault.code, `injected ${fault.code}`);
      }
      const inError = fault?.kind === 'error-in-200';
      const refusal = (one: string): string | undefined => {
        const found = injected.take({ operation: 'DeleteObject', key: one })?.fault;
        return found?.kind === 'refuse' ? found.code : undefined;
      };
      const call: Call = { key, query: url.searchParams, range: request.headers.range, content, refusal };
      const answer = inError && !done ? await content() : await operations[operation](state, call);
      if (inError || 'blocks' in answer)
        return { status: 200, headers: {}, body: errorXml('InternalError', 'injected') };
      return answer;
    };
    const answer = await act().catch((error: unknown): Answer => {
      if (!(error instanceof S3Error)) throw error;
      return {
        status: error.status,
        headers: { 'content-type': 'application/xml' },
        body: errorXml(error.code, error.message),
      };
    });
    if (done && (await misbehave())) return;
    await send(response, request.method === 'HEAD', answer, fault, Promise.race([trouble?.released, gone]));
  };

  const working = new Set<Promise<unknown>>();
  const server = createServer((request, response) => {
    // The client has gone, which is its right.
    const work = serve(request, response)
      .catch(() => request.socket.destroy())
      .finally(() => working.delete(work));
    working.add(work);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const stop = async (): Promise<void> => {
    injected.clear();
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bucket,
    region: 'us-east-1',
    env: { AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId, AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey },
    counts,
    objects: () => [...state.objects.keys()].sort(),
    uploads: () =>
      [...state.uploads.values()].map(({ key, uploadId, parts }) => ({
        key,
        uploadId,
        parts: [...parts].map(([n, { size }]) => ({ n, size })).sort((a, b) => a.n - b.n),
      })),
    body: (key) => {
      const content = state.objects.get(key);
      return content && Buffer.concat(content.blocks);
    },
    fail: (match, fault, times = 1) => injected.add(match, fault, times),
    heal: () => injected.clear(),
    reset: () => {
      injected.clear();
      state.objects.clear();
      state.uploads.clear();
      for (const name of OPERATIONS) counts[name] = 0;
    },
    async idle() {
      while (working.size > 0) await Promise.all(working);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
