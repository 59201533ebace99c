/** Appends to one file: at most one `writev` in flight while the next batch is collected. */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { freeChunk } from './chunk-memory.ts';
import { diskError } from './disk-errors.ts';
import type { Folders } from './disk-folders.ts';
import { ObjectMissing, StoreUnavailable, type ObjectWriter, type UnfinishedObject } from './store.ts';

/**
 * Measured on ext4, 256 MiB in 64 KiB chunks with sha256 (two cores): batches of 256 and 512 KiB cost 1.2-1.5 CPU s/GB,
 * `createWriteStream` 1.4-1.9, and batches of 1 MiB 1.4-2.9. Copying into two buffers of the same size cost the same.
 */
const BATCH_BYTES = 512 * 1024;
/** Small chunks carry an overhead that their length does not show, so their number is bounded as well. */
const BATCH_CHUNKS = 256;

/** What a suspended file remembers: its name is durable, so from now on a missing file is an error. */
const LINKED = { linked: true };

/** Opens the file of `object` at `path` for appending; bytes after `object.size` are what a crash left, and go. */
export async function openDiskWriter(path: string, object: UnfinishedObject, folders: Folders): Promise<ObjectWriter> {
  const linked = object.state !== null;
  try {
    if (!linked) await folders.create(dirname(path));
    const file = await open(path, constants.O_WRONLY | (linked ? 0 : constants.O_CREAT), 0o600);
    try {
      const { size } = await file.stat();
      if (size < object.size) {
        throw new ObjectMissing(`${object.key} holds ${size} bytes although ${object.size} were durable`);
      }
      if (size > object.size) await file.truncate(object.size);
    } catch (error) {
      await file.close();
      throw error;
    }
    return new DiskWriter(path, object, linked ? undefined : folders, file);
  } catch (error) {
    const known = diskError(error, `open ${object.key} for writing`);
    // Nobody wrote to it yet, so what is missing is the folder.
    if (!linked && known instanceof ObjectMissing) throw new StoreUnavailable(known.message, { cause: error });
    throw known;
  }
}

class DiskWriter implements ObjectWriter {
  readonly #path: string;
  readonly #key: string;
  /** Only for a file whose name is not durable yet. */
  readonly #folders: Folders | undefined;
  #file: FileHandle | undefined;
  #batch: Buffer[] = [];
  #batchBytes = 0;
  /** Where the batch that is being collected will start. */
  #position: number;
  #writing: Promise<void> = Promise.resolve();
  /** The first failure ends the writer: after a failed fsync the kernel may call lost pages clean. */
  #failure: Error | undefined;

  constructor(path: string, object: UnfinishedObject, folders: Folders | undefined, file: FileHandle) {
    this.#path = path;
    this.#key = object.key;
    this.#position = object.size;
    this.#folders = folders;
    this.#file = file;
  }

  async write(chunk: Buffer): Promise<void> {
    const file = this.#usable();
    if (chunk.length === 0) return;
    this.#batch.push(chunk);
    this.#batchBytes += chunk.length;
    if (this.#batchBytes >= BATCH_BYTES || this.#batch.length >= BATCH_CHUNKS) await this.#flush(file);
  }

  async suspend(): Promise<UnfinishedObject> {
    await this.#makeDurable();
    return { key: this.#key, size: this.#position, state: LINKED };
  }

  async finish(): Promise<readonly string[]> {
    await this.#makeDurable();
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#batch = [];
    await this.#writing;
    await file?.close().catch((error: unknown) => {
      throw diskError(error, `close ${this.#key}`);
    });
  }

  #usable(): FileHandle {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#file === undefined) throw new Error(`the writer of ${this.#key} has been used up`);
    return this.#file;
  }

  /** Waits for the batch before this one, then starts this one without waiting for it. */
  async #flush(file: FileHandle): Promise<void> {
    const batch = this.#batch;
    const position = this.#position;
    this.#position += this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    await this.#writing;
    this.#usable();
    this.#writing = writeAll(file, batch, position)
      .then(() => batch.forEach(freeChunk))
      .catch((error: unknown) => {
        this.#failure = diskError(error, `write ${this.#key}`);
      });
  }

  async #makeDurable(): Promise<void> {
    const file = this.#usable();
    try {
      if (this.#batch.length > 0) await this.#flush(file);
      await this.#writing;
      if (this.#failure !== undefined) throw this.#failure;
      await file.datasync();
      await this.#folders?.sync(dirname(this.#path));
    } catch (error) {
      this.#failure ??= diskError(error, `sync ${this.#key}`);
      throw this.#failure;
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }
}

/** `writev` may write less than it was given, for example just before the disk is full. */
async function writeAll(file: FileHandle, batch: Buffer[], position: number): Promise<void> {
  let rest = batch;
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest, at);
    at += bytesWritten;
    let skip = bytesWritten;
    let whole = 0;
    while (whole < rest.length && skip >= (rest[whole] as Buffer).length) skip -= (rest[whole++] as Buffer).length;
    rest = rest.slice(whole);
    if (skip > 0) rest[0] = (rest[0] as Buffer).subarray(skip);
  }
}
