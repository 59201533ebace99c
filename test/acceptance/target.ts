import { mkdir, writeFile } from 'node:fs/promises';

/** The hub that real clients are pointed at: one started here, or any other named by BERTH_TEST_URL. */
export interface Target {
  readonly url: string;
  /** `127.0.0.1:8080`: what an image reference starts with. */
  readonly host: string;
  readonly user: string;
  readonly password: string;
}

export interface RunningTarget extends Target {
  stop(): Promise<void>;
}

/** Uses the hub that the environment names, else starts one on the store that the environment names. */
export async function openTarget(): Promise<RunningTarget> {
  const { BERTH_TEST_URL, BERTH_TEST_USER = 'admin', BERTH_TEST_PASSWORD = '' } = process.env;
  if (BERTH_TEST_URL) {
    const { origin, host } = new URL(BERTH_TEST_URL);
    return { url: origin, host, user: BERTH_TEST_USER, password: BERTH_TEST_PASSWORD, stop: async () => {} };
  }
  // Imported late, so that another registry can be judged without the hub's own dependencies.
  const { startHub } = await import('../harness/hub-process.ts');
  const hub = await startHub({ env: storeEnvironment() });
  const stop = async (): Promise<void> => {
    // What the hub said is half of every failure, and a hub that ended on its own says why.
    await mkdir('reports', { recursive: true });
    await writeFile('reports/hub.log', hub.output());
    await hub.stop();
  };
  return { url: hub.url, host: hub.host, user: 'admin', password: hub.adminPassword, stop };
}

/** BERTH_TEST_S3_BUCKET chooses the S3 store; without it the hub keeps bytes in its data folder. */
function storeEnvironment(): Record<string, string> {
  const { BERTH_TEST_S3_BUCKET: bucket, BERTH_TEST_S3_ENDPOINT: endpoint } = process.env;
  if (!bucket) return {};
  if (!endpoint) throw new Error('BERTH_TEST_S3_BUCKET is set, BERTH_TEST_S3_ENDPOINT is not');
  return {
    BERTH_S3_BUCKET: bucket,
    BERTH_S3_ENDPOINT: endpoint,
    BERTH_S3_REGION: process.env.BERTH_TEST_S3_REGION ?? 'us-east-1',
    AWS_ACCESS_KEY_ID: process.env.AWS_ACCESS_KEY_ID ?? '',
    AWS_SECRET_ACCESS_KEY: process.env.AWS_SECRET_ACCESS_KEY ?? '',
  };
}
