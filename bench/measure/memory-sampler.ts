/** Samples the memory of a process tree and keeps the largest value. */
import { proportionalSetSize } from './process-tree.ts';

const INTERVAL_MS = 100;

export class MemorySampler {
  peak = 0;
  samples = 0;
  readonly #roots: readonly number[];
  #timer: NodeJS.Timeout | undefined;

  constructor(roots: readonly number[]) {
    this.#roots = roots;
  }

  start(): void {
    this.sample();
    this.#timer = setInterval(() => this.sample(), INTERVAL_MS);
  }

  sample(): number {
    const now = proportionalSetSize(this.#roots);
    this.peak = Math.max(this.peak, now);
    this.samples += 1;
    return now;
  }

  /** Stops, and returns the peak in bytes. */
  stop(): number {
    clearInterval(this.#timer);
    this.sample();
    return this.peak;
  }
}
