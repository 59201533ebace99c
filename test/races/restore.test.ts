import { describe, expect, it } from 'vitest';
import { other, projectOf, timeMachine } from '../history/harness.ts';
import { testHub } from '../harness/hub.ts';
import { expectStatus, image, index, type Repo } from '../harness/oci-client.ts';

const hub = await testHub();
const ROUNDS = 6;

/** An index with an image, all of it in the trash. */
async function trashed(repo: Repo, tag: string) {
  const child = image({ layers: [100] });
  await repo.mustPushImage(child);
  const parent = index([child.manifest]);
  await repo.mustPut(parent, tag);
  for (const { digest } of [parent, child.manifest]) expectStatus(await repo.deleteManifest(digest), 202);
  return { parent, child };
}

/** Whatever is there can be pulled with all that it needs. */
async function expectWhole(repo: Repo, reference: string): Promise<void> {
  if ((await repo.headManifest(reference)).status === 404) return;
  await repo.mustPull(reference);
}

describe('a restore meets', () => {
  it('the delete of what it restores: there or not, it is whole', async () => {
    const repo = await hub.repo();
    const machine = timeMachine(hub, repo);
    for (let round = 0; round < ROUNDS; round++) {
      const { parent } = await trashed(repo, `r${round}`);
      const [restored, gone] = await Promise.all([
        machine.restoreTag(`r${round}`, parent.digest),
        repo.deleteManifest(parent.digest),
      ]);
      expect(restored.status).toBe(200);
      expect([202, 404]).toContain(gone.status);
      await expectWhole(repo, `r${round}`);
      await expectWhole(repo, parent.digest);
    }
  });

  it('the delete of what that lists: one of them is refused, or it comes back', async () => {
    const repo = await hub.repo();
    const machine = timeMachine(hub, repo);
    for (let round = 0; round < ROUNDS; round++) {
      const { parent, child } = await trashed(repo, `r${round}`);
      await repo.mustPut(child.manifest);
      const [restored, gone] = await Promise.all([
        machine.restore({ digests: [parent.digest] }),
        repo.deleteManifest(child.manifest.digest),
      ]);
      expect(restored.status).toBe(200);
      expect([202, 405]).toContain(gone.status);
      await repo.mustPull(parent.digest);
    }
  });

  it('the delete of a blob that it needs: one of them is refused, or the blob comes back', async () => {
    const repo = await hub.repo();
    const machine = timeMachine(hub, repo);
    for (let round = 0; round < ROUNDS; round++) {
      const { parent, child } = await trashed(repo, `r${round}`);
      const [restored, gone] = await Promise.all([
        machine.restore({ digests: [parent.digest] }),
        repo.deleteBlob(child.blobs[1]?.digest as string),
      ]);
      expect(restored.status).toBe(200);
      expect([202, 405]).toContain(gone.status);
      await repo.mustPull(parent.digest);
    }
  });

  it('a purge: what came back is whole, what is gone is gone for good', async () => {
    const repo = await hub.repo();
    const machine = timeMachine(hub, repo);
    for (let round = 0; round < ROUNDS; round++) {
      const { parent, child } = await trashed(repo, `r${round}`);
      const [restored, purged] = await Promise.all([
        machine.restore({ digests: [parent.digest] }),
        machine.purge({ break_leases: true }),
      ]);
      expect(purged.status).toBe(200);
      expect([200, 404, 409]).toContain(restored.status);
      if (restored.status === 200) {
        await repo.mustPull(parent.digest);
        continue;
      }
      expect((await repo.headManifest(parent.digest)).status).toBe(404);
      expect((await machine.restore({ digests: [parent.digest] })).status).toBe(404);
      await repo.mustPushImage(child);
      await repo.mustPut(parent);
      await repo.mustPull(parent.digest);
    }
  });

  it('a push of the same: both succeed, and it is there', async () => {
    const repo = await hub.repo();
    const machine = timeMachine(hub, repo);
    for (let round = 0; round < ROUNDS; round++) {
      const content = other();
      await repo.mustPut(content, 'v1');
      expectStatus(await repo.deleteManifest(content.digest), 202);
      const [restored, pushed] = await Promise.all([
        machine.restore({ digests: [content.digest] }),
        repo.putManifest(content, 'v1'),
      ]);
      expect([200, 404]).toContain(restored.status);
      expect(pushed.status).toBe(201);
      await repo.mustPull('v1');
    }
  });
});

describe('a hold meets a delete', () => {
  it('and one of them is refused', async () => {
    const repo = await hub.repo();
    for (let round = 0; round < ROUNDS; round++) {
      const content = other();
      await repo.mustPut(content);
      const hold = {
        repository: repo.name,
        digest: content.digest,
        owner_kind: 'release',
        owner_id: 'r',
        reason: 'runs',
      };
      const [held, gone] = await Promise.all([
        hub.api('PUT', `/projects/${projectOf(repo)}/holds`, hold),
        repo.deleteManifest(content.digest),
      ]);
      expect(['200 409', '404 202']).toContain(`${held.status} ${gone.status}`);
    }
  });
});

describe('the delete of a repository', () => {
  it('leaves an image alone for which it had to wait, and which an index lists by then', async () => {
    const repo = await hub.repo();
    const child = image({ layers: [100] });
    await repo.mustPushImage(child, 'child');
    const client = await hub.db.pool.connect();
    try {
      // What a push of an index does, up to its commit.
      await client.query('begin');
      const { rows } = await client.query<{ repository: number }>(
        `select m.repository_id as repository from manifests m join repositories r on r.id = m.repository_id
         where r.path = $1 for key share of m`,
        [repo.name],
      );
      const repository = rows[0]?.repository;
      const parent = await client.query<{ id: number }>(
        `insert into manifests (repository_id, digest, media_type, kind, size) values ($1, '\\x0102', 'index', 'index', 2)
         returning id`,
        [repository],
      );
      await client.query(
        `insert into manifest_children (repository_id, child_digest, manifest_id) values ($1, $2, $3)`,
        [repository, Buffer.from(`01${child.manifest.digest.slice(7)}`, 'hex'), parent.rows[0]?.id],
      );
      const deleting = timeMachine(hub, repo).deleteRepository();
      await someoneWaits();
      await client.query('commit');
      expectStatus(await deleting, 200);
    } finally {
      client.release();
    }
    await repo.mustPull('child');
  });

  it('meets pushes into it: what was answered with success is whole, or gone as a whole', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const repo = await hub.repo();
      const child = image({ layers: [100] });
      await repo.mustPushImage(child);
      const parent = index([child.manifest]);
      const [put, gone] = await Promise.all([
        repo.putManifest(parent, 'v1'),
        timeMachine(hub, repo).deleteRepository(),
      ]);
      expect([201, 404]).toContain(put.status);
      expect(gone.status).toBe(200);
      await expectWhole(repo, 'v1');
    }
  });
});

/** Until some backend waits for a row. */
async function someoneWaits(): Promise<void> {
  for (;;) {
    const { rowCount } = await hub.db.pool.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (rowCount) return;
  }
}
