/** The memory in which parts of uploads are collected: one bounded amount for all uploads of a process. */

/** 8 parts of 8 MiB. */
export const DEFAULT_PART_MEMORY = 64 * 1024 * 1024;

/** Buffers of this size are used again; all but the parts of objects above 23 GiB have it. */
const REUSED_BYTES = 8 * 1024 * 1024;
/** Buffers that stay when nobody uploads. */
const KEPT_IDLE = 1;

/** The right to one buffer. */
export interface Lease {
  readonly buffer: Buffer;
  /** From now on the holder is done with filling it and will release it by itself: it is not asked for it any more. */
  seal(): void;
  /** Idempotent. */
  release(): void;
}

interface Holder {
  readonly cost: number;
  readonly since: number;
  readonly setAside: () => boolean;
  asked: boolean;
}

interface Waiter {
  readonly bytes: number;
  readonly cost: number;
  readonly setAside: () => boolean;
  readonly grant: (lease: Lease) => void;
}

/**
 * Hands out buffers in the order in which they were asked for.
 *
 * There is no deadlock, because nobody waits here while holding a buffer that another waiter needs him to give up:
 * a writer asks only when it has no buffer that it is filling, and a sealed buffer is released when its request to S3
 * ends, which a time limit makes certain. What remains is a client that stops in the middle of a part. So when
 * somebody has to wait, buffers that have been filling for longer than `patience` are taken back, the oldest first:
 * `setAside` makes the holder put its bytes into the store and release the buffer.
 */
export class PartMemory {
  readonly #total: number;
  readonly #patience: number;
  #free: number;
  readonly #waiting = new Set<Waiter>();
  readonly #filling = new Set<Holder>();
  readonly #buffers: Buffer[] = [];
  #watch: NodeJS.Timeout | undefined;

  /** `patience` is in milliseconds. */
  constructor(total: number = DEFAULT_PART_MEMORY, patience: number = 2_000) {
    this.#total = total;
    this.#free = total;
    this.#patience = patience;
  }

  /** Bytes that are handed out. */
  get used(): number {
    return this.#total - this.#free;
  }

  /**
   * Resolves with a buffer of exactly `bytes`. A buffer larger than half of the memory counts as half of it, so that
   * the giant parts of giant objects can be had at all, and leave room for others.
   * `setAside` is called at most once; it returns false when the holder cannot do it now, and is then asked again.
   */
  acquire(bytes: number, signal: AbortSignal, setAside: () => boolean): Promise<Lease> {
    const cost = Math.min(bytes, Math.floor(this.#total / 2));
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const abort = (): void => {
        this.#waiting.delete(waiter);
        this.#serve();
        reject(signal.reason as Error);
      };
      const grant = (lease: Lease): void => {
        signal.removeEventListener('abort', abort);
        resolve(lease);
      };
      const waiter: Waiter = { bytes, cost, setAside, grant };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiter);
      this.#serve();
    });
  }

  #serve(): void {
    for (const waiter of this.#waiting) {
      if (waiter.cost > this.#free) break;
      this.#waiting.delete(waiter);
      waiter.grant(this.#lease(waiter));
    }
    if (this.#waiting.size === 0) {
      clearInterval(this.#watch);
      this.#watch = undefined;
    } else {
      this.#watch ??= setInterval(() => this.#takeBack(), this.#patience / 2).unref();
    }
  }

  #lease({ bytes, cost, setAside }: Waiter): Lease {
    this.#free -= cost;
    const buffer = (bytes === REUSED_BYTES ? this.#buffers.pop() : undefined) ?? Buffer.allocUnsafeSlow(bytes);
    const holder: Holder = { cost, since: performance.now(), setAside, asked: false };
    this.#filling.add(holder);
    let held = true;
    return {
      buffer,
      seal: () => this.#filling.delete(holder),
      release: () => {
        if (!held) return;
        held = false;
        this.#filling.delete(holder);
        this.#free += cost;
        if (bytes === REUSED_BYTES) this.#buffers.push(buffer);
        if (this.#free === this.#total) this.#buffers.splice(KEPT_IDLE);
        this.#serve();
      },
    };
  }

  #takeBack(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    let coming = this.#free;
    const oldEnough = performance.now() - this.#patience;
    for (const holder of this.#filling) {
      if (coming >= first.cost || holder.since > oldEnough) return;
      holder.asked ||= holder.setAside();
      if (holder.asked) coming += holder.cost;
    }
  }
}
