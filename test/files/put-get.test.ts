import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus } from '../harness/oci-client.ts';
import { form, newFiles, sha256 } from './harness.ts';

const hub = await testHub();

describe('a file', () => {
  it('goes up and comes down with its digests', async () => {
    const files = await newFiles(hub);
    const { bytes, digest } = blob(100_000);
    const put = expectStatus(await files.put('1.2.3', 'app.tgz', bytes), 201);
    expect(put.header('ETag')).toBe(`"${digest}"`);
    expect(put.header('X-Checksum-Sha256')).toBe(sha256(bytes));
    const got = expectStatus(await files.get('1.2.3', 'app.tgz'), 200);
    expect(got.body.equals(bytes)).toBe(true);
    expect(got.header('ETag')).toBe(`"${digest}"`);
  });

  it('is a layer of a manifest that /v2 serves, rebuilt only after changes', async () => {
    const files = await newFiles(hub);
    const repo = hub.admin.repo(files.repository);
    await files.put('1.0.0', 'linux/cli', 'linux');
    const first = expectStatus(await repo.getManifest('1.0.0'), 200);
    await files.put('1.0.0', 'darwin/cli', 'darwin');
    await files.put('1.0.0', 'a', 'a');
    const second = expectStatus(await repo.getManifest('1.0.0'), 200);
    expect(second.header('Docker-Content-Digest')).not.toBe(first.header('Docker-Content-Digest'));
    const document = second.json<{ artifactType: string; layers: { annotations: Record<string, string> }[] }>();
    expect(document.artifactType).toBe('application/vnd.berth.file.v1');
    expect(document.layers.map((layer) => layer.annotations['org.opencontainers.image.title'])).toEqual([
      'a',
      'darwin/cli',
      'linux/cli',
    ]);
    const again = expectStatus(await repo.getManifest('1.0.0'), 200);
    expect(again.header('Docker-Content-Digest')).toBe(second.header('Docker-Content-Digest'));
    await repo.mustPull('1.0.0');
  });

  it('comes in a form', async () => {
    const files = await newFiles(hub);
    const { body, headers } = form([
      { filename: 'a.txt', content: 'A' },
      { filename: 'dir/b.txt', content: 'B' },
    ]);
    const answer = await files.ask('POST', files.at('1.0.0'), { body, headers });
    expect([answer.status, answer.body.toString()]).toEqual([201, expect.stringContaining('dir/b.txt')]);
    expect((await files.get('1.0.0', 'dir/b.txt')).body.toString()).toBe('B');
    expect((await files.get('1.0.0', 'SHA256SUMS')).body.toString()).toBe(
      `${sha256('A')}  a.txt\n${sha256('B')}  dir/b.txt\n`,
    );
  });
});
