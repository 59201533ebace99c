/**
 * A project at the edge of its limit while the hub is killed: counters and rows are written by the same transactions, so whatever
 * moment it was, they are equal afterwards, and nothing is over the limit.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { findEmbeddedPostgres } from '../../src/db/embedded.ts';
import { freePort, startHub } from '../harness/hub-process.ts';
import { basic, blob, closeConnections, expectStatus, image, OciClient, send, unique } from '../harness/oci-client.ts';
import { withDatabase } from './owners.ts';
import { numberFrom, Random, seedOfThisRun } from './random.ts';

const CREDENTIALS = { username: 'admin', password: 'torture-password' };
const MAX = 8_000_000;
const CLIENTS = 8;
const LONGEST_LIFE_MS = 1_500;

interface Counts {
  readonly used_bytes: number;
  readonly reserved_bytes: number;
  readonly artifacts: number;
}

it('kill -9 amid pushes at the edge of a quota: never over, and counters equal a recount after each restart', async () => {
  const kills = numberFrom('BERTH_TORTURE_QUOTA_KILLS', 5);
  const seed = seedOfThisRun('kills, quota');
  const random = new Random(seed);
  const dataDir = await mkdtemp(join(tmpdir(), 'berth-quota-'));
  const port = await freePort();
  const start = () => startHub({ dataDir, port, keep: true, env: { BERTH_ADMIN_PASSWORD: CREDENTIALS.password } });
  let hub = await start();
  const api = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const headers = { Authorization: basic(CREDENTIALS), 'Content-Type': 'application/json' };
    const ask = { method, path: `/api/v1/projects${path}`, headers, ...(body && { body: JSON.stringify(body) }) };
    const answer = await send(hub.url, ask);
    return expectStatus(answer, method === 'POST' && path === '' ? 201 : 200).json<T>();
  };
  const tally = { taken: 0, refused: 0 };
  try {
    await api('POST', '', { name: 'edge' });
    await api('PUT', '/edge/quota', { max_bytes: MAX, max_artifacts: null });
    for (let kill = 1; kill <= kills; kill++) {
      const end = new AbortController();
      const pushers = Array.from({ length: CLIENTS }, (_, at) =>
        push(hub.url, new Random(seed + kill * 100 + at), end.signal, tally),
      );
      await delay(300 + random.below(LONGEST_LIFE_MS));
      await hub.kill9(random.chance(0.5) ? 'both' : 'node');
      end.abort();
      await Promise.all(pushers);
      closeConnections();
      hub = await start();
      const quota = await api<Counts>('GET', '/edge/quota');
      const { used_bytes, reserved_bytes, artifacts } = quota;
      expect(used_bytes + reserved_bytes, `after kill ${kill}`).toBeLessThanOrEqual(MAX);
      expect({ used_bytes, reserved_bytes, artifacts }, `after kill ${kill}`).toEqual(await byHand(dataDir));
      expect(await api('POST', '/edge/quota/recount')).toMatchObject({ corrected: false });
      await makeRoom(dataDir);
      expect(await api('POST', '/edge/quota/recount'), 'after room was made').toMatchObject({ corrected: false });
    }
  } finally {
    closeConnections();
    await hub.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
  console.log(`kills, quota: ${kills} kills, ${tally.taken} pushes taken, ${tally.refused} refused for want of room`);
  expect(tally.taken).toBeGreaterThan(kills);
  expect(tally.refused).toBeGreaterThan(0);
});

/** Blobs of known and of unknown length, the same ones into several repositories, images, cancelled uploads. */
async function push(
  origin: string,
  random: Random,
  signal: AbortSignal,
  tally: { taken: number; refused: number },
): Promise<void> {
  const client = new OciClient({ origin, credentials: CREDENTIALS });
  while (!signal.aborted) {
    const repo = client.repo(`edge/r${random.below(4)}`);
    const content = blob(random.bytes(1 + random.below(400_000)));
    try {
      let answer;
      if (random.chance(0.4)) answer = await repo.post({ digest: content.digest }, { body: content.bytes });
      else {
        const location = await repo.mustStart();
        const body = random.chance(0.5) ? content.bytes : () => [content.bytes];
        answer = await repo.patch(location, body);
        if (answer.status === 202) {
          answer = random.chance(0.2) ? await repo.at(location, 'DELETE') : await repo.close(location, content.digest);
        }
      }
      if (answer.status === 201 && random.chance(0.3)) {
        await client.repo(`edge/r${random.below(4)}`).mount(content.digest, repo.name);
        await repo.mustPushImage(image({ layers: [content.bytes, 500] }), unique('t'));
      }
      if (answer.status < 300) tally.taken++;
      else if (answer.status === 403) tally.refused++;
    } catch {
      // The hub is gone, or an image found no room.
    }
  }
}

async function inDatabase<T>(dataDir: string, work: Parameters<typeof withDatabase<T>>[1]): Promise<T> {
  const url = await findEmbeddedPostgres(join(dataDir, 'postgres'));
  if (url === undefined) throw new Error(`no Postgres runs in ${dataDir}`);
  return withDatabase(url, work);
}

async function byHand(dataDir: string): Promise<Counts> {
  return inDatabase(dataDir, async (query) => {
    const [row] = await query<Counts>(
      `select ((select coalesce(sum(size), 0) from blobs where id in (select blob_id from repository_blobs))
               + (select coalesce(sum(size), 0) from manifests))::float8 as used_bytes,
              (select coalesce(sum(reserved), 0) from uploads)::float8 as reserved_bytes,
              (select count(*)::int from manifests) as artifacts`,
    );
    return row!;
  });
}

/** Takes half of the links that no manifest needs, as collecting them does, so that the next round finds some room. */
async function makeRoom(dataDir: string): Promise<void> {
  await inDatabase(dataDir, (query) =>
    query(
      `delete from repository_blobs rb where rb.blob_id % 2 = 0 and not exists (
         select 1 from manifest_blobs mb where mb.repository_id = rb.repository_id and mb.blob_id = rb.blob_id)`,
    ),
  );
}
