/** Runs the S3 fake of the test harness until it is killed. */
import { startFakeS3 } from '../../test/harness/fake-s3.ts';

// Equal blocks are kept once there, and what the measurement sends repeats itself; signatures would only cost time.
const s3 = await startFakeS3({ checkSignatures: false });
process.send!({
  ...s3.env,
  BERTH_S3_BUCKET: s3.bucket,
  BERTH_S3_REGION: s3.region,
  BERTH_S3_ENDPOINT: s3.endpoint,
});
