/** How a client of the storm asks, counts what it hears, and judges it. */
import { setTimeout as delay } from 'node:timers/promises';
import { digestOf, TokenRefused, type Answer, type Credentials, type OciClient } from '../harness/oci-client.ts';
import type { Gate } from './gate.ts';
import type { Latencies } from './storm-latency.ts';
import type { Ledger } from './storm-ledger.ts';
import type { Random } from './random.ts';
import type { Universe } from './storm-universe.ts';

export interface SessionOptions {
  readonly client: OciClient;
  readonly credentials: Credentials;
  readonly random: Random;
  readonly universe: Universe;
  readonly ledger: Ledger;
  readonly gate: Gate;
  readonly signal: AbortSignal;
  /** Milliseconds for which a 2xx about a blob has to hold. */
  readonly leaseMs: number;
  /** Whether the hub may be away now and then. */
  readonly mayFail: boolean;
  readonly tally: Tally;
  /** Takes the time of requests. */
  readonly latencies: Latencies | undefined;
}

/** Nobody knows whether it happened. */
export class Unanswered extends Error {}

/** Everything that happened in a storm, counted, and what must not happen, in sentences. */
export class Tally {
  readonly counts = new Map<string, number>();
  readonly problems: string[] = [];

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  complain(kind: Problem, sentence: string): void {
    this.count(kind);
    if (this.problems.length < 200) this.problems.push(`${new Date().toISOString()} ${kind}: ${sentence}`);
  }
}

export type Problem =
  | 'blob unknown after a 2xx'
  | 'broken manifest'
  | 'wrong answer'
  | 'error of the server'
  | 'account does not balance';

const BUSY = [429, 503, 507];
const BACKOFF_MS = 100;

export class Session {
  readonly options: SessionOptions;

  constructor(options: SessionOptions) {
    this.options = options;
  }

  /** @throws {Unanswered} when there was none of the `expected` answers; what is wrong about it is noted */
  async ask(what: string, expected: readonly number[], work: () => Promise<Answer>): Promise<Answer> {
    const { gate, signal, tally, mayFail, latencies } = this.options;
    await gate.pass();
    if (signal.aborted) throw new Unanswered();
    tally.count('requests');
    const answered = latencies?.leaves(what);
    let answer: Answer;
    try {
      answer = await work();
    } catch (error) {
      if (!(error instanceof TokenRefused)) {
        if (!mayFail) tally.complain('error of the server', `${what}: ${(error as Error).message}`);
        tally.count('unanswered');
        await delay(BACKOFF_MS);
        throw new Unanswered();
      }
      answer = error.answer;
    }
    if (expected.includes(answer.status)) {
      answered?.();
      return answer;
    }
    const busy = BUSY.includes(answer.status);
    tally.count(`status ${answer.status}`);
    if (!(busy && mayFail)) {
      const kind = answer.status >= 500 ? 'error of the server' : 'wrong answer';
      const id = answer.header('X-Request-Id') ?? '';
      tally.complain(kind, `${what}: status ${answer.status} ${answer.body.toString('utf8', 0, 300)} ${id}`);
    }
    await delay(BACKOFF_MS);
    throw new Unanswered();
  }

  /** A blob was said to be missing: complains when an answer had promised it. */
  judgeMissing(what: string, repo: string, digest: string, promised: () => number | undefined): void {
    const age = promised();
    if (age === undefined) return this.options.tally.count('blobs missing, as they may be');
    const sentence = `${what} misses ${digest} in ${repo}, which a 2xx of ${Math.round(age)} ms ago had promised`;
    this.options.tally.complain('blob unknown after a 2xx', sentence);
  }

  /** Pulls a manifest and all it needs, byte for byte; judged as far as nobody touched it meanwhile. */
  async pull(repo: string, digest: string, reference = digest): Promise<void> {
    const { ledger, tally } = this.options;
    const reading = ledger.manifests.at(repo, digest).read();
    const must = (): boolean => reading.expected() === true && ledger.mustStay(repo, digest);
    const answer = await this.ask(`GET manifest of ${repo}`, [200, 404], () => this.repo(repo).getManifest(reference));
    if (answer.status === 404) {
      // A tag may have moved since it was read.
      if (reference !== digest) return;
      if (must())
        tally.complain('broken manifest', `${repo}: ${this.named(digest)} was acknowledged, and is not there`);
      else reading.learn(false);
      return tally.count('pulls of nothing');
    }
    const served = digestOf(answer.body);
    if (reference === digest && served !== digest)
      tally.complain('broken manifest', `${repo}: ${digest} came with other bytes`);
    if (served !== digest) return;
    if (reading.expected() === false && ledger.mustStay(repo, digest))
      tally.complain('wrong answer', `${repo}: ${digest} was deleted, and is there`);
    reading.learn(true);
    await this.#contents(repo, answer, digest, () => reading.undisturbed() && ledger.mustStay(repo, digest));
    tally.count('whole pulls');
  }

  async #contents(repo: string, manifest: Answer, root: string, judged: () => boolean): Promise<void> {
    const { tally } = this.options;
    const document = manifest.json<{ config?: Part; layers?: Part[]; manifests?: Part[] }>();
    const missing = (what: string, digest: string): void => {
      if (judged())
        tally.complain('broken manifest', `${repo}: ${this.named(root)} is there without its ${what} ${digest}`);
    };
    for (const { digest } of document.manifests ?? []) {
      const get = () => this.repo(repo).getManifest(digest);
      const child = await this.ask(`GET child manifest of ${repo}`, [200, 404], get);
      if (child.status === 404) missing('child', digest);
      else await this.#contents(repo, child, root, judged);
    }
    for (const { digest } of [...(document.config ? [document.config] : []), ...(document.layers ?? [])]) {
      const get = () => this.repo(repo).getBlob(digest);
      const blob = await this.ask(`GET blob of ${repo}`, [200, 404], get);
      if (blob.status === 404) missing('blob', digest);
      else this.sameBytes(repo, blob.body, digest);
    }
  }

  sameBytes(repo: string, bytes: Buffer, digest: string): void {
    if (digestOf(bytes) === digest) return;
    this.options.tally.complain('broken manifest', `${repo}: blob ${digest} came with other bytes`);
  }

  /** A manifest with what it is. */
  named(digest: string): string {
    const { images, indexes, attachments } = this.options.universe;
    const is = (one: { readonly manifest: { readonly digest: string } }): boolean => one.manifest.digest === digest;
    if (images.some(is)) return `image ${digest}`;
    if (indexes.some(is)) return `index ${digest}`;
    const attachment = attachments.find(is);
    return attachment ? `${attachment.tag ?? 'referrer'} of ${attachment.to.manifest.digest}, ${digest}` : digest;
  }

  repo(name: string): ReturnType<OciClient['repo']> {
    return this.options.client.repo(name);
  }
}

interface Part {
  readonly digest: string;
}
