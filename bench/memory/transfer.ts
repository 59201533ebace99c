/** Pushes and pulls whose bytes are made and checked on the fly, at full speed or stretched over a time. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { TokenSource } from '../wire/token.ts';
import type { Target } from '../load/protocol.ts';
import { StampedContent } from './content.ts';

export interface Pace {
  /** Seconds that the transfer should take; 0 for as fast as possible. */
  readonly seconds: number;
}

/** Which way bytes go in and out: blobs of an image, or files by one PUT. */
export type Door = 'oci' | 'files';

export class TransferClient {
  /** Transfers of bodies that are under way, and the most there ever were at once. */
  active = 0;
  mostActive = 0;
  readonly #target: Target;
  readonly #tokens: TokenSource;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
  readonly #repository = 'bench/memory';
  readonly #door: Door;
  /** Of files, where each digest is. */
  readonly #paths = new Map<string, string>();

  constructor(target: Target, door: Door) {
    this.#target = target;
    this.#door = door;
    this.#tokens = new TokenSource(target.origin, target.credentials);
  }

  /** Pushes a blob as the docker engine does (POST, PATCH in chunks, PUT), or a file as curl -T. @returns its digest */
  async push(name: number, size: number, pace: Pace): Promise<string> {
    if (this.#door === 'files') return this.#putFile(name, size, pace);
    const opened = await this.#finish(await this.#request('POST', `/v2/${this.#repository}/blobs/uploads/`), 202);
    const content = new StampedContent(name, size);
    const patch = await this.#request('PATCH', opened.headers.location!);
    const patched = await this.#send(patch, content, size, pace, 202);
    const digest = content.digest();
    const location = patched.headers.location!;
    const path = `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
    await this.#finish(await this.#request('PUT', path), 201);
    return digest;
  }

  async #putFile(name: number, size: number, pace: Pace): Promise<string> {
    const content = new StampedContent(name, size);
    const path = `/files/${this.#repository}:1/file-${name}`;
    const put = await this.#request('PUT', path);
    put.setHeader('content-length', size);
    await this.#send(put, content, size, pace, 201);
    const digest = content.digest();
    this.#paths.set(digest, path);
    return digest;
  }

  async #send(
    request: http.ClientRequest,
    content: StampedContent,
    size: number,
    pace: Pace,
    status: number,
  ): Promise<http.IncomingMessage> {
    const answer = once(request, 'response');
    answer.catch(() => {});
    await this.#during(async () => {
      const clock = new Pacer(size, pace);
      for (const block of content.blocks()) {
        if (!request.write(block)) await once(request, 'drain');
        await clock.passed(block.length);
      }
    });
    request.end();
    const [response] = (await answer) as [http.IncomingMessage];
    return this.#drained(response, status);
  }

  /** Pulls a blob and compares its digest. */
  async pull(digest: string, size: number, pace: Pace): Promise<void> {
    const path = this.#paths.get(digest) ?? `/v2/${this.#repository}/blobs/${digest}`;
    const request = await this.#request('GET', path);
    request.end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    if (response.statusCode !== 200) throw new Error(`GET of a blob answered ${response.statusCode}`);
    const hash = createHash('sha256');
    await this.#during(async () => {
      const clock = new Pacer(size, pace);
      for await (const bytes of response as AsyncIterable<Buffer>) {
        hash.update(bytes);
        await clock.passed(bytes.length);
      }
    });
    const pulled = `sha256:${hash.digest('hex')}`;
    if (pulled !== digest) throw new Error(`Pulled ${pulled} where ${digest} was pushed`);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #during(work: () => Promise<void>): Promise<void> {
    this.active += 1;
    this.mostActive = Math.max(this.mostActive, this.active);
    try {
      await work();
    } finally {
      this.active -= 1;
    }
  }

  async #request(method: string, location: string): Promise<http.ClientRequest> {
    const authorization = await this.#tokens.authorization([`repository:${this.#repository}:pull,push`]);
    const headers: http.OutgoingHttpHeaders = authorization === undefined ? {} : { authorization };
    if (method === 'POST' || method === 'PUT') headers['content-length'] = 0;
    if (method === 'PATCH') headers['content-type'] = 'application/octet-stream';
    return http.request(new URL(location, this.#target.origin), { method, headers, agent: this.#agent });
  }

  async #finish(request: http.ClientRequest, status: number): Promise<http.IncomingMessage> {
    request.end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    return this.#drained(response, status);
  }

  async #drained(response: http.IncomingMessage, status: number): Promise<http.IncomingMessage> {
    let text = '';
    for await (const bytes of response) text += String(bytes);
    if (response.statusCode !== status) throw new Error(`Answered ${response.statusCode}, not ${status}: ${text}`);
    return response;
  }
}

/** Holds a transfer back to an even rate. */
class Pacer {
  readonly #begin = performance.now();
  readonly #millisecondsPerByte: number;
  #bytes = 0;

  constructor(size: number, { seconds }: Pace) {
    this.#millisecondsPerByte = (seconds * 1000) / size;
  }

  async passed(bytes: number): Promise<void> {
    this.#bytes += bytes;
    const early = this.#begin + this.#bytes * this.#millisecondsPerByte - performance.now();
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
  }
}
