import { describe, expect, it } from 'vitest';
import { filesClient, newFiles, sha256 } from '../files/harness.ts';
import { testHub } from '../harness/hub.ts';
import { artifact, expectStatus } from '../harness/oci-client.ts';

const hub = await testHub();
const replica = await hub.replica();

describe('one version under many', () => {
  it('has all of 50 files that come at once through two replicas, and one manifest of them', async () => {
    const here = await newFiles(hub);
    const there = filesClient(hub, here.repository, hub.adminCredentials, replica.origin);
    const names = Array.from({ length: 50 }, (_, i) => `folder-${i % 5}/file-${i}`);
    const puts = await Promise.all(names.map((name, i) => (i % 2 ? here : there).put('1', name, name)));
    expect(puts.map(({ status }) => status)).toEqual(names.map(() => 201));
    const sums = (await here.get('1', 'SHA256SUMS')).body.toString();
    expect(sums).toBe(
      names
        .toSorted()
        .map((name) => `${sha256(name)}  ${name}\n`)
        .join(''),
    );
    // Whoever asks first has it built; all see the same.
    const reads = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 ? hub.admin : replica).repo(here.repository).headManifest('1')),
    );
    expect(new Set(reads.map((answer) => answer.header('Docker-Content-Digest'))).size).toBe(1);
    const pulled = await hub.admin.repo(here.repository).mustPull('1');
    expect((JSON.parse(pulled.toString()) as { layers: unknown[] }).layers).toHaveLength(50);
    expect(await counted(here.repository)).toEqual({ files: 50, entries: 50, moves: 2 });
  });

  it('is never missing a file that was acknowledged, while manifests are built all the time', async () => {
    const files = await newFiles(hub);
    const repo = hub.admin.repo(files.repository);
    const acknowledged = new Set<string>();
    let writing = true;
    const reader = async () => {
      while (writing) {
        const before = [...acknowledged];
        const answer = await repo.getManifest('1');
        if (answer.status === 404 && before.length === 0) continue;
        const { layers } = expectStatus(answer, 200).json<{ layers: { annotations: Record<string, string> }[] }>();
        const seen = new Set(layers.map(({ annotations }) => annotations['org.opencontainers.image.title']));
        for (const name of before) expect(seen).toContain(name);
      }
    };
    const writer = async (id: number) => {
      for (let i = 0; i < 8; i++) {
        const name = `${id}-${i}`;
        expectStatus(await files.put('1', name, name), 201);
        acknowledged.add(name);
      }
    };
    const reading = Promise.all([reader(), reader()]);
    await Promise.all([1, 2, 3, 4, 5].map(writer)).finally(() => (writing = false));
    await reading;
    expect(acknowledged.size).toBe(40);
    expectStatus(await repo.getManifest('1'), 200);
  });

  it('when it is finalised has exactly the files that were acknowledged', async () => {
    for (let round = 0; round < 4; round++) {
      const here = await newFiles(hub);
      const there = filesClient(hub, here.repository, hub.adminCredentials, replica.origin);
      await here.put('1', 'first', 'x');
      const names = Array.from({ length: 16 }, (_, i) => `file-${i}`);
      const puts = names.map((name, i) => (i % 2 ? here : there).put('1', name, name));
      const ends = [here, there, here].map((client) => client.ask('POST', `${client.at('1')}?finalise`));
      const statuses = (await Promise.all(puts)).map(({ status }) => status);
      const digests = (await Promise.all(ends)).map((end) => expectStatus(end, 200).header('X-Checksum-Sha256'));
      expect(new Set(digests).size).toBe(1);
      for (const status of statuses) expect([201, 409]).toContain(status);
      const taken = ['first', ...names.filter((_, i) => statuses[i] === 201)].toSorted();
      const { files } = (await here.ask('GET', `${here.at('1')}?recursive`)).json<{ files: { path: string }[] }>();
      expect(files.map(({ path }) => path)).toEqual(taken);
      const head = await hub.admin.repo(here.repository).headManifest('1');
      expect(head.header('Docker-Content-Digest')).toBe(`sha256:${digests[0]}`);
    }
  });

  it('keeps a name a file or a folder, never both', async () => {
    const here = await newFiles(hub);
    const there = filesClient(hub, here.repository, hub.adminCredentials, replica.origin);
    for (let round = 0; round < 6; round++) {
      const [file, inside] = await Promise.all([
        here.put(`v${round}`, 'name', 'file'),
        there.put(`v${round}`, 'name/inside', 'inside'),
      ]);
      expect([file.status, inside.status].toSorted((a, b) => a - b)).toEqual([201, 409]);
    }
  });

  it('and a tag is of one kind, whoever comes first', async () => {
    const files = await newFiles(hub);
    const repo = hub.admin.repo(files.repository);
    for (let round = 0; round < 6; round++) {
      const pushed = artifact({ artifactType: 'application/vnd.example' });
      for (const one of pushed.blobs) await repo.mustPush(one);
      const [put, push] = await Promise.all([
        files.put(`v${round}`, 'a', 'A'),
        repo.putManifest(pushed.manifest, `v${round}`),
      ]);
      expect([put.status, push.status].toSorted((a, b) => a - b)).toEqual([201, 409]);
      expect((await files.get(`v${round}`, 'a')).status).toBe(put.status === 201 ? 200 : 404);
    }
  });
});

async function counted(repository: string) {
  const { rows } = await hub.db.pool.query(
    `select v.files, (select count(*)::int from file_entries e where e.version_id = v.id) as entries,
            (select count(*)::int from tag_history h where h.repository_id = r.id) as moves
     from file_versions v join repositories r on r.id = v.repository_id where r.path = $1`,
    [repository],
  );
  return rows[0] as unknown;
}
