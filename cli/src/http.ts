/** Requests to a hub: one at a time, or tried again when the hub or the line was only busy. */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { CliError, EXIT, HubError, printable } from './errors.ts';

/** Bytes of a file that are sent as a body. */
export interface FileBody {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly sent: (bytes: number) => void;
}

export interface Ask {
  readonly method: string;
  /** On the hub, or a whole URL. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | FileBody;
}

export interface Answer {
  readonly status: number;
  readonly message: http.IncomingMessage;
  header(name: string): string | undefined;
  /** All of the body, which must be short. */
  text(): Promise<string>;
}

/** The line was cut, or nobody listens: another try may succeed. */
export class Unreachable extends CliError {
  override readonly name = 'CliError';
}

/** Neither a byte nor an answer for this long. */
const IDLE_MS = 120_000;
const LONGEST_TEXT = 64 * 1024 * 1024;
const LONGEST_WAIT_MS = 60_000;
const MOST_REDIRECTS = 3;
const BUSY = new Set([429, 502, 503, 504]);

export class Hub {
  readonly origin: string;
  readonly #authorization: string | undefined;
  readonly #retries: number;
  readonly #say: (line: string) => void;
  readonly #agents: { http: http.Agent; https: https.Agent };

  constructor(options: { origin: string; authorization?: string; retries: number; say: (line: string) => void }) {
    this.origin = options.origin;
    this.#authorization = options.authorization;
    this.#retries = options.retries;
    this.#say = options.say;
    this.#agents = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };
  }

  /** One try. @throws {Unreachable} */
  async send(ask: Ask): Promise<Answer> {
    let url = new URL(ask.path, this.origin);
    for (let hops = 0; ; hops++) {
      const answer = await this.#exchange(url, ask);
      const location = answer.header('location');
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer;
      answer.message.resume();
      if (ask.method !== 'GET' && ask.method !== 'HEAD')
        throw new CliError(`${url.origin} redirects; use its new address`);
      const next = new URL(location, url);
      const safe = next.protocol === url.protocol || next.protocol === 'https:';
      if (hops >= MOST_REDIRECTS || !safe) throw new CliError(`${url.origin} redirects to where Berth does not follow`);
      url = next;
    }
  }

  /**
   * Tries again, later and later, while the hub is busy or cannot be reached. `work` is one try, which throws or answers;
   * what it tells with `progressed` makes the count begin anew.
   */
  async persist<T>(what: string, work: (progressed: () => void) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work(() => (tries = 1));
      } catch (error) {
        const wait = waitOf(error, tries);
        if (wait === undefined || tries > this.#retries) throw error;
        this.#say(
          `${what}: ${(error as Error).message}; trying again${wait < 1_000 ? '' : ` in ${Math.round(wait / 1_000)} s`}`,
        );
        await delay(wait);
      }
    }
  }

  /** A request that may be repeated. @throws {HubError} unless the status is one of those that are expected, or 2xx */
  ask(ask: Ask, expected: readonly number[] = []): Promise<Answer> {
    return this.persist(`${ask.method} ${new URL(ask.path, this.origin).pathname}`, async () => {
      return accept(await this.send(ask), expected);
    });
  }

  /** JSON of the hub. */
  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.ask({
      method,
      path,
      headers: { Accept: 'application/json', ...(body !== undefined && { 'Content-Type': 'application/json' }) },
      ...(body !== undefined && { body: Buffer.from(JSON.stringify(body)) }),
    });
    const text = await answer.text();
    try {
      return (text === '' ? undefined : JSON.parse(text)) as T;
    } catch {
      throw new CliError(`${this.origin} did not answer as a Berth hub does; look at its address`);
    }
  }

  /** All pages of a list under /api/v1. */
  async list<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({ limit: '200', ...(cursor !== undefined && { cursor }) });
      const page = await this.json<{ items: T[]; next_cursor?: string | null }>('GET', `${path}?${query.toString()}`);
      items.push(...page.items);
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return items;
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #exchange(url: URL, { method, headers = {}, body }: Ask): Promise<Answer> {
    const module = url.protocol === 'https:' ? https : http;
    const length = body === undefined ? undefined : Buffer.isBuffer(body) ? body.length : body.end - body.start + 1;
    // Large bodies wait until the hub has said that it wants them.
    const asksFirst = length !== undefined && length > 1024 * 1024;
    const request = module.request(url, {
      method,
      agent: url.protocol === 'https:' ? this.#agents.https : this.#agents.http,
      headers: {
        'User-Agent': 'berth',
        ...(this.#authorization !== undefined && url.origin === this.origin && { Authorization: this.#authorization }),
        ...headers,
        ...(length !== undefined && { 'Content-Length': String(length) }),
        ...(asksFirst && { Expect: '100-continue' }),
      },
    });
    request.setTimeout(IDLE_MS, () => request.destroy(new Error(`nothing came for ${IDLE_MS / 1_000} s`)));
    let early = false;
    const answered = once(request, 'response').then(([message]) => {
      early = true;
      return message as http.IncomingMessage;
    });
    answered.catch(() => {});
    try {
      if (length === undefined || length === 0) request.end();
      else if (Buffer.isBuffer(body)) request.end(body);
      else {
        if (asksFirst) {
          request.flushHeaders();
          await Promise.race([once(request, 'continue'), answered, delay(2_000, undefined, { ref: false })]);
        }
        if (!early) await sendFile(request, body as FileBody, answered);
      }
      const message = await answered;
      // An answer that came early leaves a body half sent, and so a connection that is good for nothing else.
      if (!request.writableEnded) message.once('close', () => request.destroy());
      return toAnswer(message);
    } catch (error) {
      request.destroy();
      throw unreachable(url, error as NodeJS.ErrnoException);
    }
  }
}

/** Sends until the end, or until the answer comes: a refusal does not wait for the rest. */
async function sendFile(request: http.ClientRequest, body: FileBody, answered: Promise<unknown>): Promise<void> {
  const bytes = createReadStream(body.file, { start: body.start, end: body.end, highWaterMark: 256 * 1024 });
  let over = false;
  void answered.then(
    () => (over = true),
    () => (over = true),
  );
  let left = body.end - body.start + 1;
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      if (over) return;
      left -= chunk.length;
      if (!request.write(chunk)) await Promise.race([once(request, 'drain'), answered]);
      body.sent(chunk.length);
    }
  } finally {
    bytes.destroy();
  }
  if (left !== 0) throw new CliError(`${body.file} became shorter while it was read`);
  request.end();
}

function toAnswer(message: http.IncomingMessage): Answer {
  return {
    status: message.statusCode ?? 0,
    message,
    header(name) {
      const value = message.headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
    async text() {
      const chunks: Buffer[] = [];
      let size = 0;
      try {
        for await (const chunk of message as AsyncIterable<Buffer>) {
          size += chunk.length;
          if (size > LONGEST_TEXT) throw new CliError('The hub answers with more than a list can be');
          chunks.push(chunk);
        }
      } catch (error) {
        if (error instanceof CliError) throw error;
        throw new Unreachable('The connection was cut in the middle of an answer');
      }
      return Buffer.concat(chunks).toString('utf8');
    },
  };
}

/** @throws {HubError} */
export async function accept(answer: Answer, expected: readonly number[] = []): Promise<Answer> {
  if (answer.status < 300 || expected.includes(answer.status)) return answer;
  throw await toError(answer);
}

export class Busy extends HubError {
  readonly retryAfter: string | undefined;
  constructor(error: HubError, retryAfter: string | undefined) {
    super(error.status, error.code, error.message, undefined);
    this.retryAfter = retryAfter;
  }
}

async function toError(answer: Answer): Promise<HubError> {
  const text = await answer.text().catch(() => '');
  const { code, sentence } = explain(text);
  const requestId = answer.header('x-request-id');
  const said = sentence === '' ? `The answer was ${answer.status} ${answer.message.statusMessage ?? ''}` : sentence;
  const error = new HubError(answer.status, code, printable(said).slice(0, 500), requestId && printable(requestId));
  return BUSY.has(answer.status) ? new Busy(error, answer.header('retry-after')) : error;
}

/** Problem details, the errors of /v2, or a line of text. */
function explain(text: string): { code: string; sentence: string } {
  try {
    const { type, detail, errors } = JSON.parse(text) as {
      type?: string;
      detail?: string;
      errors?: { code?: string; message?: string }[];
    };
    const first = errors?.[0];
    const code = type?.slice(type.lastIndexOf(':') + 1) ?? first?.code ?? '';
    return { code, sentence: detail ?? first?.message ?? '' };
  } catch {
    // What a proxy says in HTML is not for a terminal.
    return { code: '', sentence: text.trimStart().startsWith('<') ? '' : text };
  }
}

/** How long to wait before the next try; undefined when trying again is of no use. */
function waitOf(error: unknown, tries: number): number | undefined {
  const own = Math.min(LONGEST_WAIT_MS, 250 * 2 ** tries) * (0.5 + Math.random() / 2);
  if (error instanceof Unreachable) return own;
  if (!(error instanceof Busy)) return undefined;
  const seconds = Number(error.retryAfter);
  const asked = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(error.retryAfter ?? '') - Date.now();
  return Number.isFinite(asked) && error.retryAfter !== undefined ? Math.min(LONGEST_WAIT_MS, Math.max(0, asked)) : own;
}

function unreachable(url: URL, error: NodeJS.ErrnoException): CliError {
  if (error instanceof CliError) return error;
  if (error.syscall === 'open' || error.syscall === 'read') {
    if (error.path !== undefined) return new CliError(`${error.path} cannot be read: ${error.message}`);
  }
  const said = error.code === 'ECONNREFUSED' ? 'nothing listens there' : printable(error.message || (error.code ?? ''));
  const sentence = `${url.origin} cannot be reached: ${said}`;
  const hopeless = /^(?:ENOTFOUND|ERR_INVALID|CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(error.code ?? '');
  return hopeless ? new CliError(sentence, EXIT.failure) : new Unreachable(sentence);
}
