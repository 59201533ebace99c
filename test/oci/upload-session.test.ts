import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, locationOf, type Repo } from '../harness/oci-client.ts';
import { expectBareStatus, expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const repo = await hub.repo();

describe('the status of an upload', () => {
  it('is 204 with Location and Range: 0-0 when empty, cumulative later', async () => {
    const location = await repo.mustStart();
    const empty = await repo.at(location, 'GET');
    expectBareStatus(empty, 204);
    expect(empty.header('Range')).toBe('0-0');
    expect(locationOf(empty)).toContain('/blobs/uploads/');
    const patched = expectStatus(await repo.patch(location, blob(1_000).bytes), 202);
    const status = await repo.at(locationOf(patched), 'GET');
    expectBareStatus(status, 204);
    expect(status.header('Range')).toBe('0-999');
    await repo.patch(locationOf(status), blob(500).bytes);
    expect((await repo.at(location, 'GET')).header('Range')).toBe('0-1499');
    await repo.at(location, 'DELETE');
  });

  it('is 404 BLOB_UPLOAD_UNKNOWN when there is none', async () => {
    for (const id of ['00000000-0000-4000-8000-000000000000', 'not-a-uuid', '%00', '1', 'x'.repeat(300)]) {
      const path = `/v2/${repo.name}/blobs/uploads/${id}`;
      for (const method of ['GET', 'PATCH', 'DELETE', 'PUT']) {
        const answer = await repo.at(path, method, {}, method === 'PUT' ? { digest: blob().digest } : {});
        expectError(answer, [404, 400], 'BLOB_UPLOAD_UNKNOWN');
      }
    }
  });

  it('is 404 once it is finished', async () => {
    const content = blob();
    const location = await repo.mustStart();
    expectStatus(await repo.close(location, content.digest, content.bytes), 201);
    expectError(await repo.at(location, 'GET'), 404, 'BLOB_UPLOAD_UNKNOWN');
    expectError(await repo.patch(location, content.bytes), 404, 'BLOB_UPLOAD_UNKNOWN');
    expectError(await repo.at(location, 'DELETE'), 404, 'BLOB_UPLOAD_UNKNOWN');
  });
});

describe('cancelling an upload', () => {
  it('is 204, and then there is none', async () => {
    const location = locationOf(await repo.patch(await repo.mustStart(), blob(5_000).bytes));
    expectBareStatus(await repo.at(location, 'DELETE'), 204);
    expectError(await repo.at(location, 'GET'), 404, 'BLOB_UPLOAD_UNKNOWN');
    expectError(await repo.at(location, 'DELETE'), 404, 'BLOB_UPLOAD_UNKNOWN');
    expectError(await repo.close(location, blob().digest, blob().bytes), 404, 'BLOB_UPLOAD_UNKNOWN');
  });

  it('needs nothing but the right to push', async () => {
    const writer = await hub.person();
    const project = await hub.project({ grants: { [writer.name]: 'writer' } });
    const theirs = writer.client.repo(`${project}/app`);
    const scopes = [`repository:${theirs.name}:push`];
    const location = locationOf(expectStatus(await theirs.post({}, { scopes }), 202));
    expectBareStatus(await theirs.at(location, 'DELETE', { scopes }), 204);
  });
});

describe('an upload belongs to one repository and one principal', () => {
  async function expectUntouched(owner: Repo, location: string, content: ReturnType<typeof blob>): Promise<void> {
    const status = expectStatus(await owner.at(location, 'GET'), 204);
    expect(status.header('Range')).toBe('0-499');
    expectStatus(await owner.close(location, content.digest, content.bytes.subarray(500)), 201);
  }

  async function expectUnknown(intruder: Repo, path: string): Promise<void> {
    const bytes = blob(10).bytes;
    expectError(await intruder.at(path, 'GET'), 404, 'BLOB_UPLOAD_UNKNOWN');
    expectError(await intruder.patch(path, bytes), 404, 'BLOB_UPLOAD_UNKNOWN');
    expectError(await intruder.close(path, blob(bytes).digest, bytes), 404, 'BLOB_UPLOAD_UNKNOWN');
    expectError(await intruder.at(path, 'DELETE'), 404, 'BLOB_UPLOAD_UNKNOWN');
  }

  it('so its id under another repository is 404, and it goes on', async () => {
    const content = blob(1_000);
    const location = await repo.mustStart();
    await repo.patch(location, content.bytes.subarray(0, 500));
    const other = await hub.repo();
    await other.mustPush(blob());
    await expectUnknown(
      other,
      new URL(location, hub.origin).pathname.replace(`/v2/${repo.name}/`, `/v2/${other.name}/`),
    );
    await expectUntouched(repo, location, content);
  });

  it('so a colleague with the same rights gets 404, and it goes on', async () => {
    const [first, second] = [await hub.person(), await hub.person()];
    const project = await hub.project({ grants: { [first.name]: 'writer', [second.name]: 'writer' } });
    const content = blob(1_000);
    const mine = first.client.repo(`${project}/app`);
    const location = await mine.mustStart();
    await mine.patch(location, content.bytes.subarray(0, 500));
    await expectUnknown(second.client.repo(`${project}/app`), location);
    await expectUntouched(mine, location, content);
  });

  it('so someone without rights there does not learn that it exists', async () => {
    const location = await repo.mustStart();
    const { client } = await hub.person();
    const intruder = client.repo(repo.name);
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
      const there = await intruder.at(location, method);
      const invented = await intruder.at(location.replace(/[0-9a-f]{12}(?=[^0-9a-f]*$)/, '000000000000'), method);
      expect([403, 404]).toContain(there.status);
      expect(there.status).toBe(invented.status);
    }
    await repo.at(location, 'DELETE');
  });
});
