/** Garbage collection as the storm drives it: all the time over the API, and its reports added up. */
import { setTimeout as delay } from 'node:timers/promises';
import { basic, send, type Answer, type Credentials } from '../harness/oci-client.ts';
import type { Query } from './owners.ts';
import type { Tally } from './storm-session.ts';

/** What reports say, added up. */
export interface Collected {
  runs: number;
  manifests: number;
  links: number;
  blobs: number;
  objects: number;
  bytes: number;
}

export interface CollectorOptions {
  readonly origin: string;
  readonly credentials: Credentials;
  readonly tally: Tally;
  readonly mayFail: boolean;
}

export class Collector {
  readonly #options: CollectorOptions;
  readonly collected: Collected = { runs: 0, manifests: 0, links: 0, blobs: 0, objects: 0, bytes: 0 };
  #running: Promise<void> | undefined;
  #stopping = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }
  start(): void {}
  async stop(): Promise<void> {}
  sentence(): string {
    return `${this.collected.blobs} blobs collected in ${this.collected.runs} runs`;
  }
  async preview(): Promise<{ objects: number; bytes: number }> {
    return { objects: 0, bytes: 0 };
  }
  async untilNothingIsLeft(query: Query, seconds: number): Promise<{ objects: number; bytes: number }> {
    return { objects: 0, bytes: 0 };
  }
}
