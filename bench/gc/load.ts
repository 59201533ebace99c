/** Pushes and pulls of small images at a steady rate, and how long each takes from the moment that it was due. */
import { setTimeout as delay } from 'node:timers/promises';
import { ChangingBlob, imageManifest, randomBlob, type FixedBlob } from '../load/content.ts';
import type { Target } from '../load/protocol.ts';
import { Connection } from '../wire/connection.ts';
import { pushBlob, putManifest, sha256, verify, type Session } from '../wire/registry.ts';
import { TokenSource } from '../wire/token.ts';

const REPOSITORY = 'bench/foreground';
const BLOB = 16 * 1024;
const LAYERS = 3;
const TAGS = 32;
const LANES = 8;

export const OPERATIONS = ['push', 'pull'] as const;
export type Operation = (typeof OPERATIONS)[number];
export type Latencies = Readonly<Record<Operation, number[]>>;

export class Load {
  readonly #tokens: TokenSource;
  readonly #origin: string;
  readonly #images: { readonly tag: string; readonly manifest: Buffer; readonly blobs: readonly FixedBlob[] }[];
  readonly #lanes: Record<Operation, Connection[]>;
  readonly #changing: readonly ChangingBlob[];
  #serial = 0;

  constructor(target: Target) {
    this.#origin = target.origin;
    this.#tokens = new TokenSource(target.origin, target.credentials);
    this.#images = Array.from({ length: TAGS }, (_, at) => {
      const blobs = Array.from({ length: LAYERS + 1 }, () => randomBlob(BLOB));
      return { tag: `t${at}`, blobs, manifest: imageManifest(blobs[0]!, blobs.slice(1), `image ${at}`) };
    });
    const lanes = (): Connection[] => Array.from({ length: LANES }, () => new Connection(target.origin, 256 * 1024));
    this.#lanes = { push: lanes(), pull: lanes() };
    this.#changing = this.#lanes.push.map(() => new ChangingBlob(BLOB, 'docker'));
  }

  /** What is pulled, and what pushes build upon. */
  async seed(): Promise<void> {
    const session = await this.#session();
    const lane = this.#lanes.push[0]!;
    for (const { tag, manifest, blobs } of this.#images) {
      for (const blob of blobs) await pushBlob(lane, session, REPOSITORY, blob, 'monolithic');
      await putManifest(lane, session, REPOSITORY, tag, manifest);
    }
  }

  /**
   * Runs for so long. At `rate` operations of each kind per second, spread over lanes, late ones waiting in line and paying for
   * it; without a rate as fast as answers come.
   */
  async run(seconds: number, rate?: number): Promise<Latencies> {
    const session = await this.#session();
    const latencies: Latencies = { push: [], pull: [] };
    const from = performance.now();
    const end = from + seconds * 1_000;
    const each = rate === undefined ? 0 : (1_000 * LANES) / rate;
    const lane = async (operation: Operation, at: number): Promise<void> => {
      for (let due = from + (each * at) / LANES; due < end && performance.now() < end; due += each) {
        const early = due - performance.now();
        if (each > 0 && early > 0) await delay(early);
        const began = each > 0 ? due : performance.now();
        await (operation === 'push' ? this.#push(session, at) : this.#pull(session, at));
        latencies[operation].push(performance.now() - began);
        if (each === 0) due = performance.now();
      }
    };
    await Promise.all(OPERATIONS.flatMap((name) => this.#lanes[name].map((_, at) => lane(name, at))));
    return latencies;
  }

  close(): void {
    for (const lane of [...this.#lanes.push, ...this.#lanes.pull]) lane.close();
  }

  async #push(session: Session, at: number): Promise<void> {
    const lane = this.#lanes.push[at]!;
    const serial = this.#serial++;
    const { blobs } = this.#images[serial % TAGS]!;
    const layer = this.#changing[at]!.next();
    await pushBlob(lane, session, REPOSITORY, layer, 'docker');
    const manifest = imageManifest(blobs[0]!, [...blobs.slice(1), { ...layer, size: BLOB }], `push ${serial}`);
    await putManifest(lane, session, REPOSITORY, `p${serial % 200}`, manifest);
  }

  async #pull(session: Session, at: number): Promise<void> {
    const lane = this.#lanes.pull[at]!;
    const { tag, manifest, blobs } = this.#images[this.#serial++ % TAGS]!;
    await verify(lane, session, `/v2/${REPOSITORY}/manifests/${tag}`, sha256(manifest));
    for (const { digest } of blobs) await verify(lane, session, `/v2/${REPOSITORY}/blobs/${digest}`, digest);
  }

  async #session(): Promise<Session> {
    const authorization = await this.#tokens.authorization([`repository:${REPOSITORY}:pull,push`]);
    return { origin: this.#origin, authorization };
  }
}
