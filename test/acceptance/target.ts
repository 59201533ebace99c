import { mkdir, writeFile } from 'node:fs/promises';
import { startHub } from '../harness/hub-process.ts';
import { makeBucket } from './bucket.ts';

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

/** Uses the hub that BERTH_TEST_URL names, else starts one, on the S3 server that BERTH_TEST_S3_ENDPOINT names if any. */
export async function openTarget(): Promise<RunningTarget> {
  const { BERTH_TEST_URL, BERTH_TEST_USER = 'admin', BERTH_TEST_PASSWORD = '' } = process.env;
  if (BERTH_TEST_URL) {
    const { origin, host } = new URL(BERTH_TEST_URL);
    return { url: origin, host, user: BERTH_TEST_USER, password: BERTH_TEST_PASSWORD, stop: async () => {} };
  }
  const bucket = process.env.BERTH_TEST_S3_ENDPOINT ? await makeBucket(process.env.BERTH_TEST_S3_ENDPOINT) : undefined;
  const hub = await startHub({ env: bucket?.settings ?? {} });
  const stop = async (): Promise<void> => {
    // What the hub said is half of every failure, and a hub that ended on its own says why.
    await mkdir('reports', { recursive: true });
    await writeFile('reports/hub.log', hub.output());
    await hub.stop();
    await bucket?.remove();
  };
  return { url: hub.url, host: hub.host, user: 'admin', password: hub.adminPassword, stop };
}
