/** Appends to one S3 object: parts go up while bytes come in, and no more is held than the part memory gives. */
import { freeChunk } from './chunk-memory.ts';
import { tailKeys } from './keys.ts';
import type { PartMemory } from './part-memory.ts';
import { head, put, remove, type S3 } from './s3-client.ts';
import { isInvalidPart, s3Error } from './s3-errors.ts';
import { Parts, type Filling } from './s3-parts.ts';
import { readObject } from './s3-read.ts';
import { NEW_STATE, type Part, type S3State, type Tail } from './s3-state.ts';
import { ObjectMissing, type ObjectWriter, type UnfinishedObject } from './store.ts';

const NOTHING = Buffer.alloc(0);

export class S3Writer implements ObjectWriter {
  readonly #s3: S3;
  readonly #memory: PartMemory;
  readonly #key: string;
  /** What the row says, and what must stay true until it says something else. */
  readonly #saved: S3State | null;
  readonly #letGo = new AbortController();
  readonly #parts: Parts;
  /** The bytes after the sent parts are in one of these two, or there are none. */
  #part: Filling | undefined;
  #tail: Tail | undefined;
  #size: number;
  #appended = false;
  /** Bytes that the client still has to bring, by its own word; undefined when it gave none. */
  #expected: number | undefined;
  /** Ends with the public operation that is going on, and never fails. */
  #running: Promise<void> | undefined;
  #makingWay: Promise<void> | undefined;
  #madeTail = false;
  #failure: Error | undefined;
  #used = false;

  constructor(s3: S3, memory: PartMemory, object: UnfinishedObject, expected: number | undefined) {
    this.#s3 = s3;
    this.#memory = memory;
    this.#key = object.key;
    this.#size = object.size;
    this.#expected = expected;
    this.#saved = object.state as S3State | null;
    this.#parts = new Parts(s3, object.key, this.#saved ?? NEW_STATE, this.#letGo.signal);
    this.#tail = this.#saved?.tail;
  }

  async write(chunk: Buffer): Promise<void> {
    await this.#alone(async () => {
      for (let taken = 0; taken < chunk.length;) {
        const part = await this.#room();
        const copied = chunk.copy(part.lease.buffer, part.length, taken);
        part.length += copied;
        taken += copied;
        this.#size += copied;
        this.#appended = true;
        if (this.#expected !== undefined) this.#expected -= copied;
      }
      freeChunk(chunk);
    });
  }

  async suspend(): Promise<UnfinishedObject> {
    const state = await this.#alone(() => this.#makeDurable());
    await this.#done();
    return { key: this.#key, size: this.#size, state };
  }

  async finish(): Promise<readonly string[]> {
    const left = await this.#alone(() => this.#makeComplete());
    await this.#done();
    return left;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#used) return;
    await this.#done();
    await this.#parts.abandon();
  }

  async #done(): Promise<void> {
    this.#used = true;
    this.#letGo.abort(new Error(`the writer of ${this.#key} was let go`));
    await this.#running;
    await this.#makingWay;
    await this.#parts.settled();
    this.#part?.lease.release();
    this.#part = undefined;
  }

  /** Runs one public operation, and remembers its failure: what comes after a gap must not be stored. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#used) throw new Error(`the writer of ${this.#key} has been used up`);
    const running = Promise.withResolvers<void>();
    this.#running = running.promise;
    try {
      await this.#makingWay;
      if (this.#failure !== undefined) throw this.#failure;
      this.#parts.throwIfFailed();
      const result = await work();
      // Letting go takes back what the result may name.
      this.#letGo.signal.throwIfAborted();
      return result;
    } catch (error) {
      this.#failure ??= s3Error(error, `write ${this.#key}`);
      throw this.#failure;
    } finally {
      this.#running = undefined;
      running.resolve();
    }
  }

  /** A part with room for a byte. Memory is asked for only here, when this writer is not filling any. */
  async #room(): Promise<Filling> {
    for (;;) {
      const part = this.#part;
      if (part === undefined) {
        this.#part = await this.#open();
      } else if (part.length < part.lease.buffer.length) {
        return part;
      } else if (part.length === this.#parts.nextSize) {
        await this.#send(part);
      } else {
        // More came than was announced, and a part as short as this one can only be the last.
        this.#expected = undefined;
        await this.#setAside(part);
      }
    }
  }

  async #open(): Promise<Filling> {
    const tail = this.#tail;
    const full = this.#parts.nextSize;
    const known = this.#expected === undefined ? full : (tail?.size ?? 0) + Math.max(this.#expected, 0);
    const bytes = Math.min(known === 0 ? full : known, full);
    const lease = await this.#memory.acquire(bytes, this.#letGo.signal, () => this.#makeWay());
    try {
      if (tail !== undefined) await this.#load(tail, lease.buffer);
    } catch (error) {
      lease.release();
      throw error;
    }
    this.#tail = undefined;
    return { lease, length: tail?.size ?? 0 };
  }

  async #load(tail: Tail, into: Buffer): Promise<void> {
    // Under the object's own key there may be more, from an attempt to finish it, but it begins with the same bytes.
    const etag = tail.key === this.#key ? undefined : tail.etag;
    let length = 0;
    for await (const chunk of readObject(this.#s3, tail.key, { start: 0, end: tail.size - 1 }, etag)) {
      length += chunk.copy(into, length);
    }
  }

  async #send(part: Filling): Promise<void> {
    this.#part = undefined;
    await this.#parts.send(part);
  }

  /** The part memory wants a buffer back, for somebody who waits. */
  #makeWay(): boolean {
    if (this.#running !== undefined || this.#part === undefined) return false;
    this.#makingWay = this.#setAside(this.#part)
      .catch((error: unknown) => void (this.#failure ??= s3Error(error, `set bytes of ${this.#key} aside`)))
      .finally(() => void (this.#makingWay = undefined));
    return true;
  }

  async #setAside(part: Filling): Promise<void> {
    this.#part = undefined;
    part.lease.seal();
    try {
      this.#tail = await this.#putTail(part, this.#freeTailKey());
    } finally {
      part.lease.release();
    }
  }

  #freeTailKey(): string {
    const [one, other] = tailKeys(this.#key);
    return this.#saved?.tail?.key === one ? other : one;
  }

  async #putTail({ lease, length }: Filling, key: string): Promise<Tail> {
    this.#madeTail ||= key !== this.#key;
    const etag = await put(this.#s3, key, lease.buffer.subarray(0, length));
    return { key, size: length, etag };
  }

  async #makeDurable(): Promise<S3State | null> {
    if (!this.#appended) return this.#saved;
    const isFirst = this.#saved === null && this.#parts.uploadId === undefined && !this.#madeTail;
    if (this.#part?.length === this.#parts.nextSize && !isFirst) await this.#send(this.#part);
    const rest =
      this.#part === undefined ? this.#tail && { tail: this.#tail } : await this.#putRest(this.#part, isFirst);
    const parts = [...(await this.#parts.settle())];
    const uploadId = this.#parts.uploadId;
    return { ...(uploadId === undefined ? {} : { uploadId }), parts, ...rest };
  }

  async #putRest(part: Filling, isFirst: boolean): Promise<Pick<S3State, 'tail' | 'last'>> {
    part.lease.seal();
    const tail = this.#putTail(part, isFirst ? this.#key : this.#freeTailKey());
    const last = this.#parts.uploadId === undefined ? undefined : this.#parts.uploadLast(part);
    // The buffer must not be used again before both are through with it, also when one has failed.
    await Promise.allSettled([tail, last]);
    const rest = { tail: await tail };
    return last === undefined ? rest : { ...rest, last: await last };
  }

  /** Returns the tails that could not be removed. */
  async #makeComplete(): Promise<readonly string[]> {
    const untouched = this.#appended ? undefined : (this.#saved ?? undefined);
    if (untouched?.tail?.key === this.#key && (await head(this.#s3, this.#key))?.etag === untouched.tail.etag)
      return [];
    try {
      await this.#assemble(untouched);
    } catch (error) {
      // The process may have died after the object was complete and before anybody heard of it; its upload and tail
      // are gone then. Without new bytes, what is under the key can only be what this would have made of them.
      const mayBeDone = error instanceof ObjectMissing && untouched !== undefined;
      if (!mayBeDone || (await head(this.#s3, this.#key))?.size !== this.#size) throw error;
    }
    if (this.#saved === null && !this.#madeTail) return [];
    // No reason to fail an object that is complete.
    const tails = tailKeys(this.#key);
    const removed = await Promise.allSettled(tails.map((tail) => remove(this.#s3, tail)));
    return tails.filter((_, i) => removed[i]?.status === 'rejected');
  }

  async #assemble(untouched: S3State | undefined): Promise<void> {
    if (untouched?.last !== undefined && (await this.#completeWith(untouched.parts, untouched.last))) return;
    if (this.#tail !== undefined) this.#part = await this.#open();
    const part = this.#part;
    if (this.#parts.uploadId === undefined) {
      part?.lease.seal();
      await put(this.#s3, this.#key, part?.lease.buffer.subarray(0, part.length) ?? NOTHING);
    } else {
      if (part !== undefined) await this.#send(part);
      await this.#parts.complete(await this.#parts.settle());
    }
  }

  /** False when `last` is not there any more: somebody went on from this state and died. The tail still has its bytes. */
  async #completeWith(parts: readonly Part[], last: Part): Promise<boolean> {
    try {
      await this.#parts.complete([...parts, last]);
      return true;
    } catch (error) {
      if (isInvalidPart((error as Error).cause)) return false;
      throw error;
    }
  }
}
