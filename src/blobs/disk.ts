/** Bytes in a folder: a key is a path below it. Files are written where they stay, so nothing is ever renamed. */
import { stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { diskError } from './disk-errors.ts';
import { createRoot, Folders } from './disk-folders.ts';
import { readFile } from './disk-read.ts';
import { openDiskWriter } from './disk-writer.ts';
import { probe } from './probe.ts';
import {
  ObjectMissing,
  type BlobStore,
  type ByteRange,
  type Deleted,
  type ObjectWriter,
  type UnfinishedObject,
} from './store.ts';

/** Segments of letters, digits, dot, dash and underscore that do not start with a dot: no way out of the folder. */
const KEY = /^[a-z0-9][a-z0-9._-]*(?:\/[a-z0-9][a-z0-9._-]*)*$/;

/**
 * Opens the store in `folder`, which is created when missing. Several processes may have it open.
 * @throws {StoreUnavailable} when the folder cannot be created
 */
export async function openDiskStore(options: { readonly folder: string }): Promise<BlobStore> {
  const root = resolve(options.folder);
  await createRoot(root).catch((error: unknown) => {
    throw diskError(error, `create ${root}`);
  });
  return new DiskStore(root);
}

class DiskStore implements BlobStore {
  readonly kind = 'disk';
  /** Several for each of the 256 folders that keys are spread over. */
  readonly deletesAtOnce = 1_000;
  readonly #root: string;
  readonly #folders: Folders;

  constructor(root: string) {
    this.#root = root;
    this.#folders = new Folders(root);
  }

  write(object: UnfinishedObject): Promise<ObjectWriter> {
    return openDiskWriter(this.#path(object.key), object, this.#folders);
  }

  read(key: string, range?: ByteRange): AsyncIterable<Buffer> {
    return readFile(this.#path(key), key, range);
  }

  async size(key: string): Promise<number | undefined> {
    try {
      return (await stat(this.#path(key))).size;
    } catch (error) {
      const known = diskError(error, `look up ${key}`);
      if (known instanceof ObjectMissing) return undefined;
      throw known;
    }
  }

  async delete(key: string): Promise<void> {
    const { failure } = await this.deleteAll([key]);
    if (failure !== undefined) throw failure;
  }

  /**
   * One file after the other, then one sync for each folder: a sync makes every writer of the file system wait, and a thread
   * that unlinks is one of the four that Node reads files with.
   */
  async deleteAll(keys: readonly string[]): Promise<Deleted> {
    const unlinked: string[] = [];
    const gone: string[] = [];
    let failure: Error | undefined;
    const attempt = async (doing: string, work: () => Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        failure ??= diskError(error, doing);
      }
    };
    for (const key of keys) {
      await attempt(`delete ${key}`, async () => {
        await unlink(this.#path(key)).catch(unlessMissing);
        unlinked.push(key);
      });
    }
    // Durable before the caller forgets the keys: a file that comes back after a power cut would have no owner.
    for (const [folder, names] of Map.groupBy(unlinked, (key) => dirname(this.#path(key)))) {
      await attempt(`sync ${folder}`, async () => {
        await this.#folders.sync(folder).catch(unlessMissing);
        gone.push(...names);
      });
    }
    return { gone, failure };
  }

  check(): Promise<void> {
    return probe(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #path(key: string): string {
    if (!KEY.test(key)) throw new TypeError(`not a key: ${JSON.stringify(key)}`);
    return join(this.#root, key);
  }
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
