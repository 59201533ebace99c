/** The parts of one object that are uploaded or on their way. */
import type { Lease } from './part-memory.ts';
import type { S3 } from './s3-client.ts';
import { s3Error } from './s3-errors.ts';
import { abandonUpload, completeUpload, createUpload, uploadPart } from './s3-multipart.ts';
import { partSize, type Part, type S3State } from './s3-state.ts';

/** Parts of one object that are on their way at a time. */
const IN_FLIGHT = 3;

/** A part that is being filled. */
export interface Filling {
  readonly lease: Lease;
  length: number;
}

export class Parts {
  readonly #s3: S3;
  readonly #key: string;
  readonly #signal: AbortSignal;
  /** The upload that the saved state names, if it names one: it outlives this writer. */
  readonly #savedUpload: string | undefined;
  #upload: string | undefined;
  readonly #done: Part[];
  readonly #sending = new Set<Promise<void>>();
  #sent: number;
  #failure: Error | undefined;

  constructor(s3: S3, key: string, state: S3State, signal: AbortSignal) {
    this.#s3 = s3;
    this.#key = key;
    this.#signal = signal;
    this.#savedUpload = state.uploadId;
    this.#upload = state.uploadId;
    this.#done = [...state.parts];
    this.#sent = state.parts.length;
  }

  /** Undefined until there is a part to send: an object that ends within one part needs no upload. */
  get uploadId(): string | undefined {
    return this.#upload;
  }

  /** Bytes that the next part has, unless it is the last one. */
  get nextSize(): number {
    return partSize(this.#sent + 1);
  }

  /** Starts to upload the part, after one of those before it when too many are on their way. Releases its memory. */
  async send(part: Filling): Promise<void> {
    part.lease.seal();
    try {
      while (this.#sending.size >= IN_FLIGHT) await Promise.race(this.#sending);
      this.throwIfFailed();
      this.#upload ??= await createUpload(this.#s3, this.#key);
    } catch (error) {
      part.lease.release();
      throw error;
    }
    const n = ++this.#sent;
    const sending = this.#put(n, part)
      .then(
        (done) => void (this.#done[n - 1] = done),
        (error: unknown) => void (this.#failure ??= s3Error(error, `upload part ${n} of ${this.#key}`)),
      )
      .finally(() => {
        part.lease.release();
        this.#sending.delete(sending);
      });
    this.#sending.add(sending);
  }

  /** Uploads what may become the last part, if nothing else comes, without counting it as sent. */
  uploadLast(part: Filling): Promise<Part> {
    return this.#put(this.#sent + 1, part);
  }

  /** All parts that were sent, once they have arrived. */
  async settle(): Promise<readonly Part[]> {
    await this.settled();
    this.throwIfFailed();
    return this.#done;
  }

  /** Waits until nothing is on its way; never throws. */
  async settled(): Promise<void> {
    await Promise.all(this.#sending);
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async complete(parts: readonly Part[]): Promise<void> {
    await completeUpload(this.#s3, this.#key, this.#upload as string, parts);
  }

  /** Takes back an upload that this writer began and no state names. Never throws. */
  async abandon(): Promise<void> {
    const upload = this.#upload;
    if (upload !== undefined && upload !== this.#savedUpload) await abandonUpload(this.#s3, this.#key, upload);
  }

  #put(n: number, { lease, length }: Filling): Promise<Part> {
    return uploadPart(this.#s3, this.#key, this.#upload as string, n, lease.buffer.subarray(0, length), this.#signal);
  }
}
