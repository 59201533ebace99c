import { it } from 'vitest';
import { faults, startFakeS3 } from '../harness/fake-s3.ts';
import { startHub } from '../harness/hub-process.ts';
import { blob, OciClient } from '../harness/oci-client.ts';
it('x', async () => {
  const s3 = await startFakeS3({ checkSignatures: false });
  const hub = await startHub({ env: { ...s3.env, BERTH_S3_BUCKET: s3.bucket, BERTH_S3_ENDPOINT: s3.endpoint, BERTH_ADMIN_PASSWORD: 'torture-password' } });
  const repo = new OciClient({ origin: hub.url, credentials: { username: 'admin', password: 'torture-password' } }).repo('a/b');
  for (const [op, size] of [['PutObject', 1000], ['UploadPart', 18 << 20], ['CompleteMultipartUpload', 18 << 20]] as const) {
    const content = blob(size); const half = size / 2;
    const inj = s3.fail(op, faults.stall, 1);
    const t = performance.now(); const lap = (w: string) => console.log(op, w, Math.round(performance.now() - t), inj.hits);
    const l = await repo.mustStart(); lap('post');
    const a = await repo.patch(l, content.bytes.subarray(0, half), 0); lap('patch ' + a.status);
    const b = await repo.close(l, content.digest, content.bytes.subarray(half), half); lap('close ' + b.status + b.body.toString());
    s3.heal();
  }
  await hub.stop(); await s3.stop();
}, 600000);
