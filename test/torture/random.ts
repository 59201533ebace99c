/** Chance that can be repeated: the same seed makes the same choices (mulberry32). */
import { randomBytes } from 'node:crypto';

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** Bytes that differ in every run of 16, so that a piece in a wrong place is seen. */
  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length, randomBytes(64));
    for (let at = 0; at + 4 <= length; at += 16) bytes.writeUInt32LE(Math.floor(this.next() * 2 ** 32), at);
    return bytes;
  }
}

/** BERTH_TORTURE_SEED, or a new one; it is printed. */
export function seedOfThisRun(what: string): number {
  const seed = Number(process.env['BERTH_TORTURE_SEED'] ?? randomBytes(4).readUInt32LE());
  console.log(`${what}: seed ${seed}`);
  return seed;
}

export function numberFrom(variable: string, otherwise: number): number {
  return Number(process.env[variable] ?? otherwise);
}
