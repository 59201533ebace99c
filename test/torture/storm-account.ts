/** The account of a storm: every live manifest pulled, and the rows beside the store, without asking the collector. */
import { setTimeout as delay } from 'node:timers/promises';
import { basic, send, type Credentials, type OciClient } from '../harness/oci-client.ts';
import type { Query } from './owners.ts';
import type { Ledger } from './storm-ledger.ts';
import type { Tally } from './storm-session.ts';

interface LiveManifest {
  readonly id: number;
  readonly path: string;
  readonly digest: string;
}

/** Pulls every live manifest of every repository, byte for byte. Nobody else may change anything meanwhile. */
export async function pullAll(client: OciClient, query: Query, tally: Tally): Promise<number> {
  const live = await liveManifests(query);
  const lanes = Array.from({ length: 8 }, async () => {
    for (let one = live.pop(); one !== undefined; one = live.pop()) {
      const { id, path, digest } = one;
      try {
        await client.repo(path).mustPull(digest);
      } catch (error) {
        // What referred to something that is gone may go at any time.
        const gone = await query('select 1 from manifests where id = $1 and deleted_at is null', [id]);
        if (gone.length > 0) tally.complain('broken manifest', `${path}@${digest}: ${(error as Error).message}`);
      }
    }
  });
  const pulled = live.length;
  await Promise.all(lanes);
  return pulled;
}

/** Compares what the ledger is sure of with the rows. */
export async function compareLedger(ledger: Ledger, query: Query, tally: Tally): Promise<void> {
  const readings = [...ledger.manifests.all()].map(([repo, digest, register]) => ({
    name: `${repo}@${digest}`,
    stays: () => ledger.mustStay(repo, digest),
    reading: register.read(),
  }));
  const live = new Set((await liveManifests(query)).map(({ path, digest }) => `${path}@${digest}`));
  for (const { name, stays, reading } of readings) {
    const expected = reading.expected();
    if (expected === true && !live.has(name) && stays())
      tally.complain('broken manifest', `${name} was acknowledged, and has no row`);
    if (expected === false && live.has(name)) tally.complain('wrong answer', `${name} was deleted, and is live`);
  }
}

/** What projects are said to hold is what they hold. */
export async function recountAll(origin: string, credentials: Credentials, query: Query, tally: Tally): Promise<void> {
  const headers = { Authorization: basic(credentials) };
  for (const { name } of await query<{ name: string }>('select name from projects')) {
    const path = `/api/v1/projects/${name}/quota/recount`;
    const { status, body } = await send(origin, { method: 'POST', path, headers });
    tally.count('recounts of projects');
    if (status !== 200 || (JSON.parse(body.toString()) as { corrected: boolean }).corrected)
      tally.complain('account does not balance', `recount of ${name}: ${status} ${body.toString()}`);
  }
}

async function liveManifests(query: Query): Promise<LiveManifest[]> {
  const rows = await query<{ id: number; path: string; digest: string }>(
    `select m.id, r.path, encode(m.digest, 'hex') as digest from manifests m join repositories r on r.id = m.repository_id
     where m.deleted_at is null order by m.id`,
  );
  return rows.map(({ id, path, digest }) => ({ id, path, digest: `sha256:${digest.slice(2)}` }));
}

/** Everything that has to be there when nothing is due any more: judged from what people made, not from the collector's rows. */
export async function unbalanced(query: Query, objects: ReadonlyMap<string, number>): Promise<string[]> {
  const sentences: [text: string, statement: string][] = [
    [
      'link that nothing needs',
      `select rb.repository_id || '/' || rb.blob_id as what from repository_blobs rb
       where not exists (select from manifest_blobs m where (m.repository_id, m.blob_id) = (rb.repository_id, rb.blob_id))
         and not exists (select from file_entries f where (f.repository_id, f.blob_id) = (rb.repository_id, rb.blob_id))`,
    ],
    [
      'blob without a link',
      `select b.id::text as what from blobs b where not exists (select from repository_blobs rb where rb.blob_id = b.id)`,
    ],
    ['manifest in the trash', `select id::text as what from manifests where deleted_at is not null`],
    ['dead object', `select key as what from dead_objects`],
    ['upload', `select id::text as what from uploads`],
  ];
  const left: string[] = [];
  for (const [name, statement] of sentences)
    for (const { what } of await query<{ what: string }>(statement)) left.push(`${name}: ${what}`);
  const blobs = await query<{ key: string; size: string }>('select key, size::text from blobs');
  for (const { key, size } of blobs) {
    if (!objects.has(key)) left.push(`blob without its object: ${key}`);
    else if (objects.get(key) !== Number(size)) left.push(`object of another size than its blob: ${key}`);
  }
  const known = new Set(blobs.map(({ key }) => key));
  for (const key of objects.keys()) if (!known.has(key)) left.push(`object that no blob names: ${key}`);
  return left;
}

/** Ends the uploads that clients gave up, as a day would. */
export async function endUploads(query: Query): Promise<void> {
  await query(`update uploads set touched_at = now() - interval '2 days', writer = null, writer_seen = null`);
  await query(`select graphile_worker.add_job('collect-garbage')`);
  await until(async () => (await query('select 1 from uploads limit 1')).length === 0, 'uploads to be reaped', 180);
}

/** @throws when it does not come true within `seconds` */
export async function until(done: () => Promise<boolean>, what: string, seconds = 60): Promise<void> {
  for (const deadline = performance.now() + seconds * 1_000; !(await done()); await delay(200)) {
    if (performance.now() > deadline) throw new Error(`waited ${seconds} s in vain for ${what}`);
  }
}
