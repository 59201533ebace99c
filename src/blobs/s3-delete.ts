/** Taking objects out of a bucket: their open uploads one by one, as S3 wants it, and then the names of many with one request. */
import { tailKeys } from './keys.ts';
import { remove, limitsToTheEnd, type S3 } from './s3-client.ts';
import { s3Error, statusOf } from './s3-errors.ts';
import { abortUploads } from './s3-multipart.ts';
import { StoreUnavailable, type Deleted } from './store.ts';

/** Few, since a request that has to list uploads costs a server more than one that reads. */
const LANES = 2;
/** Keys of one DeleteObjects, which takes a thousand names. */
const AT_ONCE = 300;
/** A store that failed so often is down; waiting for the others takes a minute each. */
const ENOUGH_FAILURES = 4;
/** Too busy to say; every other 4xx, and 501, may mean that the server does not know the operation. */
const BUSY = 429;

/** One object. Uploads first: after that nothing can become an object any more. */
export async function deleteObject(s3: S3, key: string): Promise<void> {
  await abortUploads(s3, key);
  await removeNames(s3, key);
}

/** Many objects, with as few requests as the server allows. */
export class BulkDelete {
  readonly #s3: S3;
  /** Whether the server may know DeleteObjects. */
  #known = true;

  constructor(s3: S3) {
    this.#s3 = s3;
  }

  async delete(keys: readonly string[]): Promise<Deleted> {
    const closed = await inLanes(keys, (key) => abortUploads(this.#s3, key));
    let { failure } = closed;
    const gone: string[] = [];
    for (let at = 0; at < closed.gone.length; at += AT_ONCE) {
      const removed = await this.#remove(closed.gone.slice(at, at + AT_ONCE));
      gone.push(...removed.gone);
      failure ??= removed.failure;
    }
    return { gone, failure };
  }

  async #remove(keys: readonly string[]): Promise<Deleted> {
    let status: number | undefined;
    if (this.#known) {
      try {
        return await this.#removeAtOnce(keys);
      } catch (error) {
        status = statusOf(error) ?? 0;
        if (!((status >= 400 && status < 500 && status !== BUSY) || status === 501))
          return { gone: [], failure: s3Error(error, 'delete objects') };
      }
    }
    const removed = await inLanes(keys, (key) => removeNames(this.#s3, key));
    // Of what other answers meant, nobody can be sure.
    if (removed.failure === undefined && (status === 405 || status === 501)) this.#known = false;
    return removed;
  }

  /** Only what the answer names as deleted is gone: a key that is forgotten while its bytes stay has no owner any more. */
  async #removeAtOnce(keys: readonly string[]): Promise<Deleted> {
    const { sdk, client, bucket } = this.#s3;
    const command = new sdk.DeleteObjectsCommand({
      Bucket: bucket,
      Delete: { Objects: keys.flatMap(namesOf).map((Key) => ({ Key })) },
    });
    const { Deleted: deleted = [], Errors: errors = [] } = await client.send(command, limitsToTheEnd(this.#s3));
    const missing = errors.filter(({ Code }) => Code === 'NoSuchKey');
    const names = new Set([...deleted, ...missing].map(({ Key }) => Key));
    const gone = keys.filter((key) => namesOf(key).every((name) => names.has(name)));
    if (gone.length === keys.length) return { gone, failure: undefined };
    const { Code = 'no word', Message = '' } = errors.find((one) => one.Code !== 'NoSuchKey') ?? {};
    const left = keys.length - gone.length;
    return {
      gone,
      failure: new StoreUnavailable(`delete objects: ${left} of ${keys.length} are left: ${Code}: ${Message}`),
    };
  }
}

async function removeNames(s3: S3, key: string): Promise<void> {
  await Promise.all(namesOf(key).map((name) => remove(s3, name)));
}

function namesOf(key: string): string[] {
  return [key, ...tailKeys(key)];
}

/** A few at a time, until the store is seen to be down. */
async function inLanes(keys: readonly string[], work: (key: string) => Promise<void>): Promise<Deleted> {
  const gone: string[] = [];
  const failures: Error[] = [];
  const waiting = keys.values();
  const lane = async (): Promise<void> => {
    for (const key of waiting) {
      try {
        await work(key);
        gone.push(key);
      } catch (error) {
        failures.push(error as Error);
        if (failures.length >= ENOUGH_FAILURES) return;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, keys.length) }, lane));
  return { gone, failure: failures[0] };
}
