/** Taking many objects out of a bucket: their open uploads one by one, as S3 wants it, and then all names with one request. */
import { tailKeys } from './keys.ts';
import { remove, limitsToTheEnd, type S3 } from './s3-client.ts';
import { s3Error, statusOf } from './s3-errors.ts';
import { abortUploads } from './s3-multipart.ts';
import type { Deleted } from './store.ts';

/** Few, since a request that has to list uploads costs a server more than one that reads. */
const LANES = 4;
/** Answers of servers that do not know DeleteObjects, or not as the SDK sends it. */
const UNKNOWN = new Set([400, 405, 501]);

/** Deletes objects with their tails and open uploads, a few requests at a time; 300 at most, of three names each. */
export class BulkDelete {
  readonly #s3: S3;
  /** Whether the server may take DeleteObjects. */
  #known = true;

  constructor(s3: S3) {
    this.#s3 = s3;
  }

  async delete(keys: readonly string[]): Promise<Deleted> {
    // Uploads first: after that nothing can become an object any more.
    const closed = await inLanes(keys, (key) => abortUploads(this.#s3, key));
    const removed = await this.#remove(closed.gone);
    return { gone: removed.gone, failure: closed.failure ?? removed.failure };
  }

  async #remove(keys: readonly string[]): Promise<Deleted> {
    if (keys.length === 0) return { gone: [], failure: undefined };
    if (this.#known) {
      try {
        return await this.#removeAtOnce(keys);
      } catch (error) {
        if (!UNKNOWN.has(statusOf(error) ?? 0)) return { gone: [], failure: s3Error(error, 'delete objects') };
      }
    }
    const removed = await inLanes(keys, async (key) => {
      for (const name of namesOf(key)) await remove(this.#s3, name);
    });
    // Otherwise it was not the operation that is wrong.
    if (removed.failure === undefined) this.#known = false;
    return removed;
  }

  async #removeAtOnce(keys: readonly string[]): Promise<Deleted> {
    const { sdk, client, bucket } = this.#s3;
    const command = new sdk.DeleteObjectsCommand({
      Bucket: bucket,
      Delete: { Quiet: true, Objects: keys.flatMap(namesOf).map((Key) => ({ Key })) },
    });
    const { Errors = [] } = await client.send(command, limitsToTheEnd(this.#s3));
    const failed = Errors.filter(({ Code }) => Code !== 'NoSuchKey');
    if (failed.length === 0) return { gone: keys, failure: undefined };
    const left = new Set(failed.map(({ Key }) => Key));
    const [{ Key = '', Code = '', Message = '' } = {}] = failed;
    const failure = s3Error(Object.assign(new Error(`${Code}: ${Message}`), { name: Code }), `delete ${Key}`);
    return { gone: keys.filter((key) => !namesOf(key).some((name) => left.has(name))), failure };
  }
}

function namesOf(key: string): string[] {
  return [key, ...tailKeys(key)];
}

/** A few at a time, all of them whatever fails. */
async function inLanes(keys: readonly string[], work: (key: string) => Promise<void>): Promise<Deleted> {
  const gone: string[] = [];
  let failure: Error | undefined;
  const waiting = keys.values();
  const lane = async (): Promise<void> => {
    for (const key of waiting) {
      try {
        await work(key);
        gone.push(key);
      } catch (error) {
        failure ??= error as Error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, keys.length) }, lane));
  return { gone, failure };
}
