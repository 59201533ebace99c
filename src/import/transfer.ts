/** One request of an import, tried again when it is the network, or a server that is busy, that stands in its way. */
import { setTimeout as pause } from 'node:timers/promises';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface Ask {
  readonly method?: 'GET' | 'HEAD' | 'POST';
  readonly credentials?: Credentials | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: FormData | Buffer<ArrayBuffer>;
  /** Bytes of the answer's body beyond which it is given up. */
  readonly limit: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** The other side cannot be used for this. The message is for whoever started the import. */
export class TransferFailed extends Error {
  override readonly name = 'TransferFailed';
}

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A server that says nothing for this long has failed the attempt. */
const SILENCE_MS = 120_000;
const PASSING = new Set([408, 429, 502, 503, 504, 507]);

/**
 * Any status that does not pass by waiting is an answer.
 * @throws {TransferFailed} when there was none in all attempts, or too much of it
 */
export async function transfer(url: URL, ask: Ask): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const last = attempt === ATTEMPTS;
    let wait = FIRST_PAUSE_MS * 2 ** (attempt - 1);
    try {
      const answer = await once(url, ask);
      if (last || !PASSING.has(answer.status)) return answer;
      wait = Math.max(wait, Number(answer.headers.get('retry-after') ?? 0) * 1000 || 0);
    } catch (error) {
      if (last || error instanceof TransferFailed) throw explained(url, error);
    }
    await pause(Math.min(wait, LONGEST_PAUSE_MS));
  }
}

async function once(url: URL, { method = 'GET', credentials, headers, body, limit }: Ask): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { 'User-Agent': 'berth-import', ...authorization(credentials), ...headers },
    signal: AbortSignal.timeout(SILENCE_MS),
    ...(body === undefined ? {} : { body }),
  });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > limit) throw new TransferFailed(`${url.href} is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return { status: response.status, headers: response.headers, body: Buffer.concat(chunks) };
}

function authorization(credentials: Credentials | undefined): Record<string, string> {
  if (credentials === undefined) return {};
  const { user, password } = credentials;
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

function explained(url: URL, error: unknown): TransferFailed {
  if (error instanceof TransferFailed) return error;
  const { message, cause } = error as Error;
  const reason = cause instanceof Error && cause.message !== '' ? cause.message : message;
  return new TransferFailed(`${url.host} cannot be reached: ${reason}`, { cause: error });
}
