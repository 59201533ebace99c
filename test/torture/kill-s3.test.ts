import { expect, it } from 'vitest';
import { startFakeS3 } from '../harness/fake-s3.ts';
import { torture } from './kills.ts';
import { numberFrom, seedOfThisRun } from './random.ts';

it('kill -9 at random moments, bytes on S3: what was acknowledged is there, nothing else is, no object lacks an owner', async () => {
  const kills = numberFrom('BERTH_TORTURE_KILLS', 20);
  await using s3 = await startFakeS3({ checkSignatures: false });
  const report = await torture({
    seed: seedOfThisRun('kills, S3'),
    kills,
    env: { ...s3.env, BERTH_S3_BUCKET: s3.bucket, BERTH_S3_ENDPOINT: s3.endpoint },
    keys: async () =>
      [...s3.objects(), ...s3.uploads().map(({ key }) => key)].filter((key) => key.startsWith('objects/')),
  });
  console.log(
    `kills, S3: ${kills} kills (${JSON.stringify(report.victims)}), ${report.acknowledged} acknowledgements, slowest start ${Math.round(report.slowestStartMs)} ms`,
  );
  expect(report.problems).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(kills);
});
