import { describe, expect, it } from 'vitest';
import { faults } from '../harness/fake-s3.ts';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus } from '../harness/oci-client.ts';
import { form, newFiles } from './harness.ts';

const hub = await testHub({ store: 's3', redirects: true });

describe('files in S3', () => {
  it('come from the hub, since curl does not follow a redirect by itself', async () => {
    const files = await newFiles(hub);
    const { bytes } = blob(9_000_000);
    expectStatus(await files.put('1', 'big', bytes), 201);
    const got = expectStatus(await files.get('1', 'big'), 200);
    expect(got.body.equals(bytes)).toBe(true);
    const part = expectStatus(await files.get('1', 'big', { Range: 'bytes=8388600-8388615' }), 206);
    expect(part.body).toEqual(bytes.subarray(8_388_600, 8_388_616));
  });

  it.each(['zip', 'tar'])('are archived as %s, empty ones too', async (format) => {
    const files = await newFiles(hub);
    const parts = [
      { filename: 'empty', content: '' },
      { filename: 'large', content: Buffer.alloc(300_000, 'x') },
      { filename: 'small', content: 'x' },
    ];
    const { body, headers } = form(parts);
    expectStatus(await files.ask('POST', files.at('1'), { body, headers }), 201);
    const archive = expectStatus(await files.ask('GET', `${files.at('1')}?archive=${format}`), 200);
    expect(archive.body.length).toBeGreaterThan(300_001);
    for (const { filename } of parts) expect(archive.body.includes(filename)).toBe(true);
    expectStatus(await files.get('1', 'empty'), 200);
  });

  it('that cannot be reached are 503, and nothing ends', async () => {
    const files = await newFiles(hub);
    await files.put('1', 'large', Buffer.alloc(300_000, 'y'));
    for (const path of ['large', '?archive=zip', '?archive=tar']) {
      // The store's client tries three times.
      hub.s3?.fail('GetObject', faults.slowDown, 3);
      const asked = files.ask('GET', files.at('1', path)).then(({ status }) => status);
      expect([503, 'cut'], path).toContain(await asked.catch(() => 'cut'));
    }
    expectStatus(await files.get('1', 'large'), 200);
  });
});
