import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, image, index, type Manifest } from '../harness/oci-client.ts';

const hub = await testHub();
const FIFTY = Array.from({ length: 50 }, (_, at) => at);

async function count(table: string, where: string, ...values: unknown[]): Promise<number> {
  const { rows } = await hub.db.pool.query(`select count(*)::int as n from ${table} where ${where}`, values);
  return (rows[0] as { n: number }).n;
}

const key = (digest: string) => Buffer.from(`01${digest.slice(7)}`, 'hex');

describe('fifty clients push the same blob at once', () => {
  it('to one repository: all succeed, it is stored once', async () => {
    const repo = await hub.repo();
    const content = blob(200_000);
    const answers = await Promise.all(
      FIFTY.map(async (at) => {
        const location = await repo.mustStart();
        return repo.close(location, content.digest, at % 2 === 0 ? content.bytes : () => [content.bytes]);
      }),
    );
    expect(answers.map((answer) => answer.status)).toEqual(FIFTY.map(() => 201));
    expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
    expect(await count('blobs', 'digest = $1', key(content.digest))).toBe(1);
  });

  it('to fifty repositories: all can pull it, it is stored once', async () => {
    const project = await hub.project();
    const content = blob(100_000);
    await Promise.all(
      FIFTY.map(async (at) => {
        const repo = hub.admin.repo(`${project}/r${at}`);
        expectStatus(await repo.post({ digest: content.digest }, { body: content.bytes }), 201);
        expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
      }),
    );
    expect(await count('blobs', 'digest = $1', key(content.digest))).toBe(1);
  });

  it('and mounts of it: all succeed', async () => {
    const [source, target] = [await hub.repo(), await hub.repo()];
    const content = blob();
    await source.mustPush(content);
    const answers = await Promise.all(
      FIFTY.map((at) => target.mount(content.digest, at % 2 === 0 ? source.name : undefined)),
    );
    for (const answer of answers) expect([201, 202]).toContain(answer.status);
    expect(answers.filter((_, at) => at % 2 === 0).map((answer) => answer.status)).toEqual(
      FIFTY.slice(0, 25).map(() => 201),
    );
    expect((await target.getBlob(content.digest)).body).toEqual(content.bytes);
    for (const answer of answers.filter(({ status }) => status === 202))
      await target.at(answer.header('Location') ?? '', 'DELETE');
  });
});

describe('fifty clients push one tag at once', () => {
  it('with the same manifest: all succeed', async () => {
    const repo = await hub.repo();
    const content = image();
    for (const one of content.blobs) await repo.mustPush(one);
    const answers = await Promise.all(FIFTY.map(() => repo.putManifest(content.manifest, 'same')));
    expect(answers.map((answer) => answer.status)).toEqual(FIFTY.map(() => 201));
    expect(await repo.mustPull('same')).toEqual(content.manifest.bytes);
    expect(await count('manifests', 'digest = $1', key(content.manifest.digest))).toBe(1);
  });

  it('with fifty manifests: all succeed, one is last, and the history is one line through all of them', async () => {
    const repo = await hub.repo();
    const manifests: Manifest[] = FIFTY.map((at) => index([], { extra: { annotations: { at: String(at) } } }));
    const answers = await Promise.all(manifests.map((one) => repo.putManifest(one, 'race')));
    expect(answers.map((answer) => answer.status)).toEqual(FIFTY.map(() => 201));
    const last = await repo.headManifest('race');
    const { rows } = await hub.db.pool.query(
      `select encode(old_digest, 'hex') as before, encode(new_digest, 'hex') as after from tag_history h
       join repositories r on r.id = h.repository_id where r.path = $1 and h.name = 'race' order by h.id`,
      [repo.name],
    );
    const moves = rows as { before: string | null; after: string }[];
    expect(new Set(moves.map((move) => move.after))).toEqual(
      new Set(manifests.map((one) => `01${one.digest.slice(7)}`)),
    );
    expect(moves.map((move) => move.before)).toEqual([null, ...moves.slice(0, -1).map((move) => move.after)]);
    expect(`01${last.header('Docker-Content-Digest')?.slice(7)}`).toBe(moves.at(-1)?.after);
  });
});

describe('the first push', () => {
  it('by fifty clients at once makes one project and one repository', async () => {
    const owner = await hub.person();
    const repo = owner.client.repo(`first-${owner.name}/app`);
    const content = blob();
    const answers = await Promise.all(FIFTY.map(() => repo.post({ digest: content.digest }, { body: content.bytes })));
    expect(answers.map((answer) => answer.status)).toEqual(FIFTY.map(() => 201));
    expect(await count('projects', 'name = $1', `first-${owner.name}`)).toBe(1);
    expect(await count('repositories', 'path = $1', repo.name)).toBe(1);
  });

  it('by two people at once gives the project to one of them, and tells the other', async () => {
    for (let round = 0; round < 10; round++) {
      const people = await Promise.all([hub.person(), hub.person()]);
      const name = `contested-${round}-${people[0].name}/app`;
      const content = blob();
      const answers = await Promise.all(
        people.map(({ client }) => client.repo(name).post({ digest: content.digest }, { body: content.bytes })),
      );
      const winners = answers.filter((answer) => answer.status === 201).length;
      for (const answer of answers) expect([201, 401, 403, 404]).toContain(answer.status);
      expect(winners, 'who did not make the project may not push to it').toBe(1);
      expect(await count('projects', 'name = $1', name.split('/')[0])).toBe(1);
    }
  });
});
