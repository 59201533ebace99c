/** A client that pushes without end, survives a hub that dies under it, and journals what it was told. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  TokenRefused,
  type Answer,
  type Blob,
  type Manifest,
  type OciClient,
  type Repo,
} from '../harness/oci-client.ts';
import { blob, describe, image, index, locationOf } from '../harness/oci-client.ts';
import type { Gate } from './gate.ts';
import type { Entry } from './journal.ts';
import type { Random } from './random.ts';

export interface PusherOptions {
  readonly client: OciClient;
  /** Its own; nobody else writes to it. */
  readonly repo: string;
  readonly random: Random;
  readonly gate: Gate;
  readonly signal: AbortSignal;
  /** The hub stays up, so every request has an answer, if only a 503. */
  readonly alwaysAnswered?: boolean;
  /** Blobs that others have pushed, to push and mount again. */
  readonly pool: { readonly repo: string; readonly content: Blob }[];
  note(entry: Entry): void;
  /** Something that must not happen. */
  complain(problem: string): void;
  /** Told of each push that was acknowledged as a whole. */
  pushed?(): void;
}

/** The hub went away or says that it cannot now: what was asked for may or may not have happened. */
class Unanswered extends Error {}

const BUSY = [429, 503, 507];
const BACKOFF_MS = 50;

export async function pushWithoutEnd(options: PusherOptions): Promise<void> {
  const pusher = new Pusher(options);
  while (!options.signal.aborted) {
    try {
      await pusher.once();
    } catch (error) {
      if (error instanceof Unanswered) continue;
      if (!options.signal.aborted) options.complain(`${options.repo}: ${(error as Error).stack ?? String(error)}`);
    }
  }
}

class Pusher {
  readonly #options: PusherOptions;
  readonly #repo: Repo;
  readonly #images: Manifest[] = [];

  constructor(options: PusherOptions) {
    this.#options = options;
    this.#repo = options.client.repo(options.repo);
  }

  async once(): Promise<void> {
    const { random } = this.#options;
    const dice = random.next();
    if (dice < 0.08 && this.#images.length > 0) return this.#untag(`t${random.below(6)}`);
    if (dice < 0.14 && this.#images.length > 3)
      return this.#remove(this.#images.splice(random.below(this.#images.length), 1)[0] as Manifest);
    if (dice < 0.24 && this.#images.length > 1) return this.#index();
    return this.#image();
  }

  async #image(): Promise<void> {
    const { random, pool, repo } = this.#options;
    const size = () => (random.chance(0.04) ? 8_000_000 + random.below(3_000_000) : 100 + random.below(120_000));
    const layers = Array.from({ length: 1 + random.below(3) }, () => random.bytes(size()));
    const subject = random.chance(0.15) && this.#images.length > 0 ? random.pick(this.#images) : undefined;
    const content = image({ layers, ...(subject ? { subject } : {}) });
    const blobs = [...content.blobs];
    let manifest = content.manifest;
    if (random.chance(0.3) && pool.length > 0) {
      const borrowed = random.pick(pool);
      const document = JSON.parse(manifest.bytes.toString()) as { layers: unknown[] };
      document.layers.push(describe(borrowed.content, 'application/vnd.oci.image.layer.v1.tar+gzip'));
      const bytes = Buffer.from(JSON.stringify(document));
      manifest = { ...blob(bytes), mediaType: manifest.mediaType };
      if (borrowed.repo === repo || !(await this.#mount(borrowed))) blobs.push(borrowed.content);
    }
    for (const one of blobs) await this.#blob(one);
    await this.#manifest(manifest, random.chance(0.8) ? `t${random.below(6)}` : undefined);
    this.#images.push(manifest);
    if (this.#images.length > 30) this.#images.shift();
    if (pool.length < 200) pool.push({ repo, content: blobs[0] as Blob });
  }

  async #index(): Promise<void> {
    const { random } = this.#options;
    const children = [random.pick(this.#images), random.pick(this.#images)];
    const content = index([...new Set(children)], { extra: { annotations: { nonce: String(random.next()) } } });
    const put = await this.#put(content, `t${random.below(6)}`, [201, 404]);
    // A child may have been removed when its removal was not answered.
    if (put.status === 404 && !put.body.includes('MANIFEST_BLOB_UNKNOWN'))
      this.#options.complain(`index: ${put.body.toString()}`);
  }

  async #mount(borrowed: { repo: string; content: Blob }): Promise<boolean> {
    const { note, repo } = this.#options;
    const entry = { repo, what: 'blob', digest: borrowed.content.digest } as const;
    note({ ...entry, state: 'sent' });
    const answer = await this.#ask(() => this.#repo.mount(borrowed.content.digest, borrowed.repo), [201, 202]);
    if (answer.status === 202) {
      await this.#ask(() => this.#repo.at(locationOf(answer), 'DELETE'), [204, 404]);
      return false;
    }
    note({ ...entry, state: 'acknowledged' });
    return true;
  }

  /** Goes on where it was when the hub dies in the middle. */
  async #blob(content: Blob): Promise<void> {
    const { random, note, repo, signal } = this.#options;
    const entry = { repo, what: 'blob', digest: content.digest } as const;
    const chunked = random.chance(0.4);
    let location: string | undefined;
    let there = 0;
    const append = async (end: number): Promise<void> => {
      const chunk = content.bytes.subarray(there, end);
      if (chunk.length === 0) return;
      const answer = await this.#ask(() => this.#repo.patch(location as string, chunk, there), [202]);
      location = locationOf(answer);
      there = end;
      note({ repo, what: 'chunk', state: 'acknowledged', location, size: there });
    };
    for (;;) {
      try {
        location ??= locationOf(await this.#ask(() => this.#repo.post(), [202]));
        if (chunked) await append(there + Math.ceil((content.size - there) / 2));
        if (chunked && random.chance(0.5)) await append(content.size);
        note({ ...entry, state: 'sent' });
        const rest = content.bytes.subarray(there);
        const close = () =>
          rest.length > 0
            ? this.#repo.close(location as string, content.digest, rest, there)
            : this.#repo.close(location as string, content.digest);
        await this.#ask(close, [201]);
        note({ ...entry, state: 'acknowledged' });
        return;
      } catch (error) {
        if (!(error instanceof Unanswered) || signal.aborted) throw error;
        const found = location === undefined ? 'nowhere' : await this.#whereIs(location, content, there);
        if (found === 'finished') {
          note({ ...entry, state: 'acknowledged' });
          return;
        }
        if (found === 'nowhere') location = undefined;
        there = found === 'nowhere' ? 0 : found;
      }
    }
  }

  /** How far an upload is whose last answer was lost. */
  async #whereIs(location: string, content: Blob, acknowledged: number): Promise<number | 'finished' | 'nowhere'> {
    const { complain, repo, signal } = this.#options;
    while (!signal.aborted) {
      try {
        const status = await this.#ask(() => this.#repo.at(location, 'GET'), [204, 404]);
        if (status.status === 204) {
          const last = Number(status.header('Range')?.split('-')[1]);
          const size = last === 0 ? Math.min(acknowledged, 1) : last + 1;
          if (size < acknowledged)
            complain(`${repo}: ${location} has ${size} bytes, but ${acknowledged} were acknowledged`);
          return size;
        }
        const head = await this.#ask(() => this.#repo.headBlob(content.digest), [200, 404]);
        if (head.status === 404) complain(`${repo}: ${location} is gone and was not finished`);
        return head.status === 200 ? 'finished' : 'nowhere';
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
      }
    }
    throw new Unanswered();
  }

  async #manifest(content: Manifest, tag: string | undefined): Promise<void> {
    await this.#put(content, tag, [201]);
    this.#options.pushed?.();
  }

  async #put(content: Manifest, tag: string | undefined, expected: readonly number[]): Promise<Answer> {
    const { note, repo } = this.#options;
    const entry = { repo, what: 'manifest', digest: content.digest, ...(tag === undefined ? {} : { tag }) } as const;
    note({ ...entry, state: 'sent' });
    const answer = await this.#ask(() => this.#repo.putManifest(content, tag ?? content.digest), expected);
    if (answer.status === 201) note({ ...entry, state: 'acknowledged' });
    return answer;
  }

  async #untag(tag: string): Promise<void> {
    const entry = { repo: this.#options.repo, what: 'untag', tag } as const;
    this.#options.note({ ...entry, state: 'sent' });
    await this.#ask(() => this.#repo.deleteManifest(tag), [202, 404]);
    this.#options.note({ ...entry, state: 'acknowledged' });
  }

  async #remove(content: Manifest): Promise<void> {
    const entry = { repo: this.#options.repo, what: 'remove', digest: content.digest } as const;
    this.#options.note({ ...entry, state: 'sent' });
    const answer = await this.#ask(() => this.#repo.deleteManifest(content.digest), [202, 404, 405]);
    // An index lists it: then it must stay.
    if (answer.status === 405)
      this.#options.note({ repo: entry.repo, what: 'manifest', state: 'acknowledged', digest: content.digest });
    else this.#options.note({ ...entry, state: 'acknowledged' });
  }

  /** @throws Unanswered when nobody can know whether it happened */
  async #ask(work: () => Promise<Answer>, expected: readonly number[]): Promise<Answer> {
    const { gate, complain, repo, signal, alwaysAnswered } = this.#options;
    await gate.pass();
    if (signal.aborted) throw new Unanswered();
    let answer: Answer;
    try {
      answer = await work();
    } catch (error) {
      const refused = error instanceof TokenRefused;
      const problem = refused ? !BUSY.includes(error.answer.status) : alwaysAnswered;
      if (problem) complain(`${repo}: ${(error as Error).message}`);
      await delay(BACKOFF_MS);
      throw new Unanswered();
    }
    if (expected.includes(answer.status)) return answer;
    // As a client would: not at once, and the server's Retry-After would be longer still.
    await delay(BACKOFF_MS);
    if (!BUSY.includes(answer.status))
      complain(`${repo}: status ${answer.status} ${answer.body.toString('utf8', 0, 300)}`);
    throw new Unanswered();
  }
}
