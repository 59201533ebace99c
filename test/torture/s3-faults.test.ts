import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findEmbeddedPostgres } from '../../src/db/embedded.ts';
import { faults, startFakeS3, type FakeS3, type Operation } from '../harness/fake-s3.ts';
import type { Fault } from '../harness/fake-s3-faults.ts';
import { startHub } from '../harness/hub-process.ts';
import { blob, locationOf, OciClient, unique, type Answer, type Blob, type Repo } from '../harness/oci-client.ts';
import { afterSweep, withDatabase } from './owners.ts';
import { pushThrough } from './long-run.ts';
import { numberFrom, Random, seedOfThisRun } from './random.ts';

const MIB = 2 ** 20;
const s3: FakeS3 = await startFakeS3({ checkSignatures: false });
const hub = await startHub({
  env: {
    ...s3.env,
    BERTH_S3_BUCKET: s3.bucket,
    BERTH_S3_ENDPOINT: s3.endpoint,
    BERTH_ADMIN_PASSWORD: 'torture-password',
  },
});
afterAll(async () => {
  await hub.stop();
  await s3.stop();
});
const client = new OciClient({ origin: hub.url, credentials: { username: 'admin', password: 'torture-password' } });
const keys = async () =>
  [...s3.objects(), ...s3.uploads().map(({ key }) => key)].filter((key) => key.startsWith('objects/'));

const FAULTS: Record<string, Fault> = {
  '500 InternalError': faults.internalError,
  '503 SlowDown': faults.slowDown,
  'a reset before it is done': faults.resetBefore,
  'a reset after it is done': faults.resetAfter,
  'an error inside a 200': faults.errorInBody,
  'an error inside a 200, though done': faults.errorInBodyButDone,
};
const WRITES: Operation[] = ['PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'];

/** Asks until it works, as clients do; whatever else comes has to be a 503. */
async function insist(what: string, work: () => Promise<Answer>, wanted: readonly number[]): Promise<Answer> {
  const seen: string[] = [];
  for (let attempt = 0; attempt < 10; attempt++) {
    const answer = await work().catch((error: Error) => error);
    if (answer instanceof Error) {
      // The status was sent when the store failed: then only a cut says so.
      if (!/cut|hang up|reset|aborted/i.test(answer.message)) throw answer;
      seen.push(answer.message);
      continue;
    }
    if (wanted.includes(answer.status)) return answer;
    seen.push(String(answer.status));
    if (answer.status !== 503) break;
    expect(answer.header('Retry-After'), what).toBeTruthy();
  }
  throw new Error(`${what} was answered ${seen.join(', ')}`);
}

/** Two chunks and a close, going on after each 503 where the hub says that it is. */
async function pushInsisting(repo: Repo, content: Blob): Promise<void> {
  let location = locationOf(await insist('POST', () => repo.post(), [202]));
  const half = Math.ceil(content.size / 2);
  for (let there = 0, attempt = 0; ; attempt++) {
    if (attempt > 20) throw new Error('no end of 503');
    const end = there < half ? half : content.size;
    const last = end === content.size;
    const chunk = content.bytes.subarray(there, end);
    const answer = last
      ? await repo.close(location, content.digest, chunk, there)
      : await repo.patch(location, chunk, there);
    if (answer.status === 201) return;
    if (answer.status !== 202) {
      expect(answer.status, answer.body.toString()).toBe(503);
      const status = await insist('GET of the upload', () => repo.at(location, 'GET'), [204, 404]);
      if (status.status === 404) {
        // Finished though the answer was an error.
        if ((await repo.headBlob(content.digest)).status === 200) return;
        location = locationOf(await insist('POST', () => repo.post(), [202]));
        there = 0;
        continue;
      }
      const range = Number(status.header('Range')?.split('-')[1]);
      there = range === 0 ? 0 : range + 1;
      continue;
    }
    there = end;
    location = locationOf(answer);
  }
}

describe('a push while S3 fails', () => {
  for (const operation of WRITES) {
    for (const [name, fault] of Object.entries(FAULTS)) {
      if (fault.kind === 'error-in-200' && operation !== 'CompleteMultipartUpload') continue;
      it.each([1, 4])(
        `with ${name} at ${operation}, %d times: 503 or success, and a retry that works`,
        async (times) => {
          const repo = client.repo(`faults/${unique()}`);
          for (const size of [1_000, 17 * MIB]) {
            const injected = s3.fail(operation, fault, times);
            const content = blob(size);
            await pushInsisting(repo, content);
            s3.heal();
            expect(injected.hits).toBeLessThanOrEqual(times);
            const answer = await repo.getBlob(content.digest);
            expect(answer.body.equals(content.bytes)).toBe(true);
          }
        },
      );
    }
  }
});

describe('a pull while S3 fails', () => {
  it.each([
    ...Object.entries(FAULTS).filter(([, fault]) => fault.kind !== 'error-in-200'),
    ['a body that is cut at once', { kind: 'cut', bytes: 0 }],
    ['a body that is cut in the middle', { kind: 'cut', bytes: 2 * MIB }],
  ] as [string, Fault][])('with %s never brings wrong bytes as a success, and a retry works', async (_, fault) => {
    const repo = client.repo(`faults/${unique()}`);
    const content = blob(5 * MIB);
    await repo.mustPush(content);
    for (const times of [1, 5]) {
      s3.fail('GetObject', fault, times);
      const answer = await insist('GET', () => repo.getBlob(content.digest), [200]);
      expect(answer.body.equals(content.bytes)).toBe(true);
      s3.heal();
    }
  });
});

it('S3 that does not answer at all: 503 or success, and a retry that works', async () => {
  const work = (['PutObject', 'UploadPart'] as const).map(async (operation) => {
    const repo = client.repo(`faults/${unique()}`);
    const content = blob(operation === 'PutObject' ? 1_000 : 18 * MIB);
    s3.fail(operation, faults.stall);
    await pushInsisting(repo, content);
    expect((await repo.getBlob(content.digest)).body.equals(content.bytes)).toBe(true);
  });
  await Promise.all(work);
  s3.heal();
});

it('what could not be deleted when it was done with is deleted by the sweep', async () => {
  const repo = client.repo(`faults/${unique()}`);
  s3.fail('DeleteObject', faults.internalError, 50);
  s3.fail('AbortMultipartUpload', faults.internalError, 50);
  // 9 MiB: a whole part, and a rest that is kept until the next chunk comes.
  await pushInsisting(repo, blob(18 * MIB));
  await pushInsisting(repo, blob(2_000));
  const given = await repo.patch(await repo.mustStart(), blob(9 * MIB).bytes);
  expect((await repo.at(locationOf(given), 'DELETE')).status).toBe(204);
  s3.heal();
  const url = await findEmbeddedPostgres(join(hub.dataDir, 'postgres'));
  expect(await withDatabase(url ?? '', (query) => afterSweep(query, keys))).toEqual([]);
});

it('a storm of faults under four clients: nothing is lost, nothing is left', async () => {
  const random = new Random(seedOfThisRun('S3 storm'));
  const run = pushThrough(hub, random.below(2 ** 31));
  const storm = numberFrom('BERTH_TORTURE_FAULTS', 100);
  const kinds = Object.values(FAULTS);
  let hits = 0;
  for (let at = 0; at < storm; at++) {
    const operation = random.pick([
      ...WRITES,
      'GetObject',
      'DeleteObject',
      'ListParts',
      'AbortMultipartUpload',
    ] as const);
    const fault = random.pick(
      kinds.filter((kind) => kind.kind !== 'error-in-200' || operation === 'CompleteMultipartUpload'),
    );
    const injected = s3.fail(operation, fault, 1 + random.below(4));
    await run.more(1);
    hits += injected.hits;
  }
  s3.heal();
  await run.more(4);
  expect(await run.finish(keys)).toEqual([]);
  console.log(`S3 storm: ${storm} faults set, ${hits} hit, ${run.pushes()} pushes acknowledged`);
  expect(hits).toBeGreaterThan(0);
});
