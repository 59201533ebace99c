/** A run of garbage collection: short transactions, one after the other, each counted where it removes something. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Transaction } from '../../db/database.ts';
import { lookUpsOnly } from '../../db/background.ts';
import { addToRun, claimCollection, finishRun, keepCollection, releaseCollection } from '../queries/gc-run.ts';
import type { Registry } from '../registry.ts';

/** What a run removed, or would. */
export interface Counts {
  /** Purged from the trash. */
  readonly manifests: number;
  /** Moved to the trash because what they refer to is gone for good. */
  readonly orphans: number;
  /** Of repositories to contents. */
  readonly links: number;
  /** Contents that no repository had any more. */
  readonly blobs: number;
  /** Of those contents; their objects go once `bytesDelay` is over. */
  readonly bytes: number;
  /** Uploads that nobody continued. */
  readonly uploads: number;
  /** Taken out of the store. */
  readonly objects: number;
  readonly objectBytes: number;
}

export const NOTHING: Counts = {
  manifests: 0,
  orphans: 0,
  links: 0,
  blobs: 0,
  bytes: 0,
  uploads: 0,
  objects: 0,
  objectBytes: 0,
};

/** A batch that took longer than this allows for has waited for a store or a lock; nobody gains when the next waits, too. */
const LONGEST_REST_MS = 5_000;

export type Cause = 'schedule' | 'request' | 'command';

/** What collecting needs of a registry, so that a command line without doors can do it too. */
export type Collecting = Pick<Registry, 'db' | 'store' | 'clocks'>;

export interface Run {
  readonly id: string;
  readonly cause: Cause;
  readonly requestedBy: number | null;
}

export interface RunOptions {
  readonly cause?: Cause;
  readonly requestedBy?: number | null;
  /** Milliseconds after which no further batch begins; the next run goes on. */
  readonly budget?: number;
  /** Pauses between batches, as a part of the time that a batch took, so that requests have the rest. */
  readonly pace?: number;
  readonly signal?: AbortSignal;
}

/** Somebody else collects by now, since this process was not heard of for too long. */
export class CollectionLost extends Error {
  override readonly name = 'CollectionLost';
}

export class RunInProgress implements Run {
  readonly id = randomUUID();
  readonly cause: Cause;
  readonly requestedBy: number | null;
  readonly world: Collecting;
  readonly #options: RunOptions;
  readonly #deadline: number;
  #counts: Counts = NOTHING;

  constructor(world: Collecting, options: RunOptions) {
    this.world = world;
    this.cause = options.cause ?? 'schedule';
    this.requestedBy = options.requestedBy ?? null;
    this.#options = options;
    this.#deadline = performance.now() + (options.budget ?? Infinity);
  }

  get counts(): Counts {
    return this.#counts;
  }

  /** Whether another batch may begin. */
  get goesOn(): boolean {
    return performance.now() < this.#deadline && this.#options.signal?.aborted !== true;
  }

  claim(): Promise<boolean> {
    return claimCollection(this.world.db, this.id);
  }

  /** One transaction of the only collector. What `work` returns under `removed` is in the report if it commits. */
  async batch<T extends { readonly removed: Partial<Counts> }>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const began = performance.now();
    const result = await this.world.db.transaction(async (tx) => {
      if (!(await keepCollection(tx, this.id))) throw new CollectionLost('Another process collects by now');
      await lookUpsOnly(tx);
      const done = await work(tx);
      if (isSomething(done.removed)) await addToRun(tx, this, { ...NOTHING, ...done.removed });
      return done;
    });
    this.#counts = sum(this.#counts, result.removed);
    await this.rest(performance.now() - began);
    return result;
  }

  /** Leaves the rest of the time to requests, after a batch that took so many milliseconds. */
  async rest(took: number): Promise<void> {
    const { pace = 0 } = this.#options;
    if (pace > 0 && this.goesOn) await delay(Math.min(took * pace, LONGEST_REST_MS));
  }

  /** For what is removed outside of a batch: counts it in a transaction of the caller's. */
  async note(tx: Transaction, removed: Partial<Counts>): Promise<void> {
    if (isSomething(removed)) await addToRun(tx, this, { ...NOTHING, ...removed });
  }

  /** What was noted has been committed. */
  committed(removed: Partial<Counts>): void {
    this.#counts = sum(this.#counts, removed);
  }

  async finish(): Promise<void> {
    await releaseCollection(this.world.db, this.id);
    if (isSomething(this.#counts)) await finishRun(this.world.db, this.id);
  }
}

export function sum(a: Counts, b: Partial<Counts>): Counts {
  const entries = Object.entries(a) as [keyof Counts, number][];
  return Object.fromEntries(entries.map(([key, value]) => [key, value + (b[key] ?? 0)])) as unknown as Counts;
}

export function isSomething(counts: Partial<Counts>): boolean {
  return Object.values(counts).some((count) => count > 0);
}
