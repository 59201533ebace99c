import { describe, expect, it } from 'vitest';
import { collect } from '../../src/registry/gc/collect.ts';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, image, type Answer, type Repo } from '../harness/oci-client.ts';
import { expectExact, expectRefused, limit, limited, noise, quotaOf, streamed } from '../quota/harness.ts';

const hub = await testHub();
const replica = await hub.replica();
const FIFTY = Array.from({ length: 50 }, (_, at) => at);
const SIZE = 40_000;

/** Every other one by the second replica. */
const repoAt = (project: string, at: number, spread = true): Repo =>
  (at % 2 === 0 ? hub.admin : replica).repo(`${project}/${spread ? `r${at % 5}` : 'app'}`);

async function declared(repo: Repo, bytes: Buffer): Promise<Answer> {
  const content = blob(bytes);
  return repo.post({ digest: content.digest }, { body: content.bytes });
}

/** As docker does it: a session, a body of unknown length, and the digest at last. */
async function likeDocker(repo: Repo, bytes: Buffer): Promise<Answer> {
  const started = await repo.post();
  if (started.status !== 202) return started;
  const location = started.header('Location') ?? '';
  const patched = await repo.patch(location, streamed(bytes));
  return patched.status === 202 ? repo.close(location, blob(bytes).digest) : patched;
}

function tally(answers: readonly Answer[]): number {
  const taken = answers.filter(({ status }) => status === 201);
  for (const answer of answers) if (answer.status !== 201) expectRefused(answer);
  return taken.length;
}

describe('fifty pushes at the edge of the limit, by two replicas', () => {
  it('of declared length: exactly as many as fit', async () => {
    const project = await limited(hub, { max_bytes: 20 * SIZE + SIZE / 2 });
    const answers = await Promise.all(FIFTY.map((at) => declared(repoAt(project, at), noise(SIZE))));
    expect(tally(answers)).toBe(20);
    expect(await expectExact(hub, project)).toMatchObject({ used_bytes: 20 * SIZE, reserved_bytes: 0 });
  });

  it('streamed: never over, none refused while there was room, and what is left is free again', async () => {
    const project = await limited(hub, { max_bytes: 20 * SIZE + SIZE / 2 });
    const answers = await Promise.all(FIFTY.map((at) => likeDocker(repoAt(project, at), noise(SIZE))));
    const taken = tally(answers);
    expect(taken).toBeLessThanOrEqual(20);
    expect(await expectExact(hub, project)).toMatchObject({ used_bytes: taken * SIZE, reserved_bytes: 0 });
    for (let at = taken; at < 20; at++) expectStatus(await likeDocker(repoAt(project, at), noise(SIZE)), 201);
    expectRefused(await likeDocker(repoAt(project, 0), noise(SIZE)));
    expect(await expectExact(hub, project)).toMatchObject({ used_bytes: 20 * SIZE, reserved_bytes: 0 });
  });

  it('of the same content into many repositories: counted once', async () => {
    const project = await limited(hub, { max_bytes: 60 * SIZE });
    const bytes = noise(SIZE);
    const answers = await Promise.all(
      FIFTY.map((at) => (at % 4 < 2 ? declared : likeDocker)(repoAt(project, at), bytes)),
    );
    expect(answers.map(({ status }) => status)).toEqual(FIFTY.map(() => 201));
    expect(await expectExact(hub, project)).toMatchObject({ used_bytes: SIZE, reserved_bytes: 0 });
    // Full but for a byte: who says what it brings is let through, since it is here.
    await limit(hub, project, { max_bytes: SIZE + 1 });
    const again = await Promise.all(FIFTY.map((at) => declared(repoAt(project, at + 100), bytes)));
    expect(again.map(({ status }) => status)).toEqual(FIFTY.map(() => 201));
    expect(await expectExact(hub, project)).toMatchObject({ used_bytes: SIZE });
  });

  it('of manifests: exactly as many as are allowed', async () => {
    const project = await limited(hub, { max_artifacts: 17 });
    const repo = hub.admin.repo(`${project}/app`);
    const images = FIFTY.map(() => image({ layers: [] }));
    for (const { blobs } of images) for (const one of blobs) await repo.mustPush(one);
    const answers = await Promise.all(
      images.map(({ manifest }, at) => repoAt(project, at, false).putManifest(manifest, `v${at}`)),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(17);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(33);
    expect((await expectExact(hub, project)).artifacts).toBe(17);
  });

  it('mounts of it into other repositories and deletes at the source keep one count', async () => {
    const project = await hub.project();
    const source = hub.admin.repo(`${project}/source`);
    const contents = FIFTY.slice(0, 10).map(() => blob(SIZE));
    for (const one of contents) await source.mustPush(one);
    await limit(hub, project, { max_bytes: 10 * SIZE });
    await Promise.all(
      FIFTY.map(async (at) => {
        const { digest, bytes } = contents[at % 10]!;
        if (at >= 40) expect([202, 404]).toContain((await source.deleteBlob(contents[at % 5]!.digest)).status);
        else if (at % 10 < 5) expectStatus(await declared(repoAt(project, at), bytes), 201);
        else expectStatus(await repoAt(project, at).mount(digest, source.name), 201);
      }),
    );
    expect(await expectExact(hub, project)).toMatchObject({ used_bytes: 10 * SIZE, reserved_bytes: 0 });
  });
});

it('a limit that is set while pushes run: whatever is settled after it is judged by it', async () => {
  const project = await hub.project();
  let limits: Promise<unknown> | undefined;
  const answers = await Promise.all(
    FIFTY.map(async (at) => {
      const answer = await (at % 2 === 0 ? declared : likeDocker)(repoAt(project, at), noise(SIZE));
      limits ??= limit(hub, project, { max_bytes: 25 * SIZE });
      return answer;
    }),
  );
  await limits;
  const taken = tally(answers);
  const quota = await expectExact(hub, project);
  expect(quota).toMatchObject({ used_bytes: taken * SIZE, reserved_bytes: 0 });
  // What was let in before the limit was known is its own; after it, nothing went in that it did not allow.
  if (taken > 25) expectRefused(await declared(repoAt(project, 0), noise(1)));
  else for (let at = taken; at < 25; at++) expectStatus(await declared(repoAt(project, at), noise(SIZE)), 201);
});

/** How many wait for a lock in this database. */
async function waiting(): Promise<number> {
  const { rowCount } = await hub.db.pool.query(
    `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rowCount ?? 0;
}

/** Until the other transaction has either come through or waits, as the nth. */
async function untilStuck(other: Promise<unknown>, nth = 1): Promise<void> {
  let done = false;
  void other.finally(() => (done = true)).catch(() => {});
  while (!done && (await waiting()) < nth) await new Promise((resolve) => setImmediate(resolve));
}

it('a limit waits for what is just being settled without one, and then counts it', async () => {
  const project = await hub.project();
  const [source, repo] = [hub.admin.repo(`${project}/a`), await hub.repo()];
  await source.mustPush(blob(100));
  const content = blob(5_000);
  await repo.mustPush(content);
  const client = await hub.db.pool.connect();
  try {
    await client.query('begin');
    await client.query(
      `insert into repository_blobs (repository_id, blob_id)
       select r.id, b.id from repositories r, blobs b where r.path = $1 and b.digest = $2`,
      [source.name, Buffer.from(`01${content.digest.slice(7)}`, 'hex')],
    );
    // Settled, as at the commit; the commit itself is still to come.
    await client.query('set constraints all immediate');
    const limiting = limit(hub, project, { max_bytes: 5_100 });
    await untilStuck(limiting);
    await client.query('commit');
    expect(await limiting).toMatchObject({ used_bytes: 5_100 });
  } finally {
    client.release();
  }
  expectRefused(await declared(source, noise(1)));
  await expectExact(hub, project);
});

it('of two that take the last two links of a blob, the second takes its bytes', async () => {
  const project = await hub.project();
  const content = blob(1_000);
  const repos = ['a', 'b'].map((name) => hub.admin.repo(`${project}/${name}`));
  for (const repo of repos) await repo.mustPush(content);
  const remove = `delete from repository_blobs rb using repositories r where r.id = rb.repository_id and r.path = $1`;
  const client = await hub.db.pool.connect();
  try {
    await client.query('begin');
    await client.query(remove, [repos[0]!.name]);
    const second = hub.db.pool.query(remove, [repos[1]!.name]);
    await untilStuck(second);
    await client.query('commit');
    await second;
  } finally {
    client.release();
  }
  expect(await expectExact(hub, project)).toMatchObject({ used_bytes: 0 });
  await repos[0]!.mustPush(content);
  expect(await expectExact(hub, project)).toMatchObject({ used_bytes: 1_000 });
});

it('what comes and goes while its repository moves to another project is counted where the repository is', async () => {
  const [from, to] = [await limited(hub, { max_bytes: 100 * SIZE }), await limited(hub, { max_bytes: 100 * SIZE })];
  const repo = hub.admin.repo(`${from}/app`);
  const [kept, gone] = [image({ layers: [SIZE] }), image({ layers: [SIZE] })];
  await repo.mustPushImage(kept, 'kept');
  await repo.mustPushImage(gone, 'gone');
  const location = await repo.mustStart();
  const client = await hub.db.pool.connect();
  const others: Promise<unknown>[] = [];
  try {
    await client.query('begin');
    // What a move does, under its lock, before it is committed.
    await client.query('select 1 from repositories where path = $1 for update', [repo.name]);
    await client.query(
      `select move_usage(r.id, r.project_id, p.id) from repositories r, projects p where r.path = $1 and p.name = $2`,
      [repo.name, to],
    );
    await client.query(
      `update repositories set project_id = (select id from projects where name = $2) where path = $1`,
      [repo.name, to],
    );
    const purge = [
      `delete from tags t using repositories r where r.id = t.repository_id and r.path = $1 and t.name = 'gone'`,
      `delete from manifests m using repositories r where r.id = m.repository_id and r.path = $1 and m.digest = $2`,
    ];
    const meanwhile = [
      async () => {
        await hub.db.pool.query(purge[0]!, [repo.name]);
        await hub.db.pool.query(purge[1]!, [repo.name, Buffer.from(`01${gone.manifest.digest.slice(7)}`, 'hex')]);
      },
      () => repo.patch(location, noise(SIZE)),
      () => declared(repo, noise(SIZE)),
    ];
    for (const [at, start] of meanwhile.entries()) {
      const other = start();
      others.push(other);
      await untilStuck(other, at + 1);
    }
    await client.query('commit');
    await Promise.all(others);
  } finally {
    client.release();
    await Promise.allSettled(others);
  }
  expect(await expectExact(hub, from)).toMatchObject({ used_bytes: 0, reserved_bytes: 0, artifacts: 0 });
  expect(await expectExact(hub, to)).toMatchObject({ reserved_bytes: SIZE, artifacts: 1 });
});

it('links that come and go at once: the last of them takes the bytes with it', async () => {
  const project = await limited(hub, { max_bytes: 100 * SIZE });
  const [a, b] = [hub.admin.repo(`${project}/a`), hub.admin.repo(`${project}/b`)];
  for (let round = 0; round < 10; round++) {
    const content = blob(1_000);
    await a.mustPush(content);
    // What collecting a link does, beside a push of the same content to another repository.
    const collecting = hub.db.pool.query(
      `delete from repository_blobs rb using repositories r, blobs b
       where r.id = rb.repository_id and b.id = rb.blob_id and r.path = $1 and b.digest = $2`,
      [a.name, Buffer.from(`01${content.digest.slice(7)}`, 'hex')],
    );
    const [, pushed] = await Promise.all([collecting, declared(b, content.bytes)]);
    expectStatus(pushed, 201);
    await expectExact(hub, project);
  }
  await hub.db.pool.query(
    `delete from repository_blobs rb using repositories r where r.id = rb.repository_id and r.path = any ($1)`,
    [[a.name, b.name]],
  );
  expect(await expectExact(hub, project)).toMatchObject({ used_bytes: 0 });
  const { rowCount } = await hub.db.pool.query(
    `select 1 from project_blobs pb join projects p on p.id = pb.project_id where p.name = $1`,
    [project],
  );
  expect(rowCount).toBe(0);
});

it('uploads that are cancelled and reaped give their room back', async () => {
  const project = await limited(hub, { max_bytes: 50 * SIZE });
  await Promise.all(
    FIFTY.map(async (at) => {
      const repo = repoAt(project, at);
      const location = await repo.mustStart();
      expectStatus(await repo.patch(location, at % 2 === 0 ? noise(SIZE) : streamed(noise(SIZE))), 202);
      if (at % 5 !== 0) expectStatus(await repo.at(location, 'DELETE'), 204);
    }),
  );
  expect(await quotaOf(hub, project)).toMatchObject({ used_bytes: 0, reserved_bytes: 10 * SIZE });
  await expectExact(hub, project);
  await hub.db.pool.query(
    `update uploads u set touched_at = now() - interval '2 days' from repositories r, projects p
     where r.id = u.repository_id and p.id = r.project_id and p.name = $1`,
    [project],
  );
  expect((await collect(hub.context.registry, { uploadIdleSeconds: 86_400, sweep: false })).uploads).toBe(10);
  expect(await expectExact(hub, project)).toMatchObject({ used_bytes: 0, reserved_bytes: 0 });
});
