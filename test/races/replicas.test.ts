import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, image, index, locationOf, OciClient, type Repo } from '../harness/oci-client.ts';
import { expectError } from '../harness/oci-client-expect.ts';
import { violation, type Operation } from './linearizable.ts';

const hub = await testHub();
const other = await hub.replica();

/** The same repository through each of the two. */
async function pair(): Promise<{ one: Repo; two: Repo }> {
  const one = await hub.repo();
  return { one, two: other.repo(one.name) };
}

describe('what one replica has answered is true on the other, at once', () => {
  it('pushes', async () => {
    const { one, two } = await pair();
    for (let round = 0; round < 20; round++) {
      const content = image({ layers: [100] });
      const [from, to] = round % 2 === 0 ? [one, two] : [two, one];
      await from.mustPushImage(content, 'moving');
      expect(await to.mustPull('moving')).toEqual(content.manifest.bytes);
      expect(await to.mustTags()).toEqual(['moving']);
    }
  });

  it('deletes, of what both have in memory', async () => {
    const { one, two } = await pair();
    for (let round = 0; round < 20; round++) {
      const content = image({ layers: [100] });
      const loose = blob();
      await one.mustPushImage(content, 'v1');
      await one.mustPush(loose);
      const [from, to] = round % 2 === 0 ? [one, two] : [two, one];
      for (const repo of [from, to]) {
        await repo.mustPull('v1');
        expectStatus(await repo.getBlob(loose.digest), 200);
      }
      expectStatus(await from.deleteBlob(loose.digest), 202);
      expectError(await to.getBlob(loose.digest), 404, 'BLOB_UNKNOWN');
      expect((await to.headBlob(loose.digest)).status).toBe(404);
      expectStatus(await from.deleteManifest(content.manifest.digest), 202);
      expectError(await to.getManifest('v1'), 404, 'MANIFEST_UNKNOWN');
      expectError(await to.getManifest(content.manifest.digest), 404, 'MANIFEST_UNKNOWN');
      expect(await to.mustTags()).toEqual([]);
    }
  });

  it('changes of who may see it', async () => {
    const project = await hub.project({ visibility: 'public' });
    await hub.admin.repo(`${project}/app`).mustPut(index([]), 'v1');
    const anonymous = [new OciClient({ origin: hub.origin }), new OciClient({ origin: other.origin })].map((client) =>
      client.repo(`${project}/app`),
    );
    for (const visibility of ['private', 'public', 'private']) {
      expectStatus(await hub.api('PATCH', `/projects/${project}`, { visibility }), 200);
      for (const repo of anonymous) {
        const answer = await repo.getManifest('v1');
        if (visibility === 'public') expectStatus(answer, 200);
        else expectError(answer, 401, 'UNAUTHORIZED');
      }
    }
  });
});

describe('an upload', () => {
  it.each([1_000, 9 * 2 ** 20])('goes on at the other replica, in chunks of %d bytes', async (size) => {
    const { one, two } = await pair();
    const content = blob(size * 3);
    let location = new URL(await one.mustStart(), hub.origin).pathname;
    for (const [at, repo] of [one, two, one].entries()) {
      const chunk = content.bytes.subarray(at * size, (at + 1) * size);
      location = locationOf(expectStatus(await repo.patch(location, chunk, at * size), 202));
    }
    expect((await two.at(location, 'GET')).header('Range')).toBe(`0-${content.size - 1}`);
    expectStatus(await two.close(location, content.digest), 201);
    expect((await one.getBlob(content.digest)).body.equals(content.bytes)).toBe(true);
  });

  it('with a wrong digest is refused wherever it is closed', async () => {
    const { one, two } = await pair();
    const content = blob(50_000);
    const location = new URL(await one.mustStart(), hub.origin).pathname;
    expectStatus(await one.patch(location, content.bytes.subarray(0, 30_000), 0), 202);
    expectStatus(await two.patch(location, content.bytes.subarray(30_000), 30_000), 202);
    expectError(await one.close(location, blob(50_000).digest), 400, 'DIGEST_INVALID');
    expect((await one.headBlob(content.digest)).status).toBe(404);
  });

  it('has one writer, also when two replicas are asked', async () => {
    const { one, two } = await pair();
    for (let round = 0; round < 10; round++) {
      const content = blob(200_000);
      const location = new URL(await one.mustStart(), hub.origin).pathname;
      const answers = await Promise.all(
        [one, two].map((repo) => repo.patch(location, content.bytes.subarray(0, 100_000), 0)),
      );
      expect(answers.filter((answer) => answer.status === 202)).toHaveLength(1);
      for (const answer of answers) if (answer.status !== 202) expectError(answer, [409, 416], 'BLOB_UPLOAD_INVALID');
      expectStatus(await two.close(location, content.digest, content.bytes.subarray(100_000), 100_000), 201);
      expect((await one.getBlob(content.digest)).body.equals(content.bytes)).toBe(true);
    }
  });
});

it('a tag is one register over both replicas', async () => {
  const { one, two } = await pair();
  const history: Operation[] = [];
  const act = async (kind: 'write' | 'read', work: () => Promise<string>) => {
    const invoked = performance.now();
    const value = await work();
    history.push({ kind, value, invoked, answered: performance.now() });
  };
  const write = (repo: Repo, nonce: string) => {
    const content = index([], { extra: { annotations: { nonce } } });
    return act('write', async () => expectStatus(await repo.putManifest(content, 'moving'), 201) && content.digest);
  };
  const read = (repo: Repo) =>
    act('read', async () => expectStatus(await repo.headManifest('moving'), 200).header('Docker-Content-Digest') ?? '');
  await write(one, 'first');
  const actors = [one, two].flatMap((repo, which) => [
    (async () => {
      for (let at = 0; at < 40; at++) await write(repo, `${which} ${at}`);
    })(),
    (async () => {
      for (let at = 0; at < 80; at++) await read(repo);
    })(),
  ]);
  await Promise.all(actors);
  expect(violation(history)).toBeUndefined();
});
