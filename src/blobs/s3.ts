/** Bytes in a bucket of any S3 server. Objects are written under the key where they stay; nothing is ever copied. */
import { DEFAULT_PART_MEMORY, PartMemory } from './part-memory.ts';
import { checkS3 } from './s3-check.ts';
import { connectS3, head, type S3, type S3Options } from './s3-client.ts';
import { BulkDelete, deleteObject } from './s3-delete.ts';
import { presigner } from './s3-presign.ts';
import { readObject } from './s3-read.ts';
import { S3Writer } from './s3-writer.ts';
import type { BlobStore, ByteRange, Deleted, ObjectWriter, Redirects, UnfinishedObject } from './store.ts';

/**
 * Opens the store in a bucket; credentials come from where the AWS SDK looks for them. Sends nothing yet.
 * It can redirect clients when they can be expected to reach S3: `publicEndpoint` is set, or it is AWS itself.
 */
export async function openS3Store(options: S3Options): Promise<BlobStore & Partial<Redirects>> {
  const s3 = await connectS3(options);
  const store = new S3Store(s3, options);
  const reachable = options.publicEndpoint !== undefined || options.endpoint === undefined;
  return reachable ? Object.assign(store, presigner(s3, options)) : store;
}

class S3Store implements BlobStore {
  readonly kind = 's3';
  readonly deletesAtOnce = 100;
  readonly #s3: S3;
  readonly #options: S3Options;
  readonly #memory: PartMemory;
  readonly #bulk: BulkDelete;

  constructor(s3: S3, options: S3Options) {
    this.#s3 = s3;
    this.#options = options;
    this.#bulk = new BulkDelete(s3);
    this.#memory = new PartMemory(options.memoryBytes ?? DEFAULT_PART_MEMORY, options.patience);
  }

  async write(object: UnfinishedObject, expected?: number): Promise<ObjectWriter> {
    return new S3Writer(this.#s3, this.#memory, object, expected);
  }

  read(key: string, range?: ByteRange): AsyncIterable<Buffer> {
    return readObject(this.#s3, key, range);
  }

  async size(key: string): Promise<number | undefined> {
    return (await head(this.#s3, key))?.size;
  }

  delete(key: string): Promise<void> {
    return deleteObject(this.#s3, key);
  }

  deleteAll(keys: readonly string[]): Promise<Deleted> {
    return this.#bulk.delete(keys);
  }

  check(): Promise<void> {
    return checkS3(this, this.#s3, this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#s3.close();
  }
}
