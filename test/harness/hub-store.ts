/** Somewhere for a test's hub to keep its bytes: a folder, or the fake S3 (BERTH_TEST_STORE=s3 makes that the default). */
import { join } from 'node:path';
import type { Config } from '../../src/config.ts';
import { startFakeS3, type FakeS3 } from './fake-s3.ts';
import { keysOnDisk } from './leftovers.ts';

export interface HubStore {
  readonly config: Config['store'];
  readonly s3: FakeS3 | undefined;
  /** Keys of all objects there are, finished or not. */
  keys(): Promise<string[]>;
  close(): Promise<void>;
}

export interface HubStoreOptions {
  readonly kind?: 'disk' | 's3';
  /** Lets clients fetch from the fake S3 themselves. */
  readonly redirects?: boolean;
  /** Milliseconds that the hub gives S3 to answer. */
  readonly s3Timeout?: number;
}

export async function openHubStore(folder: string, options: HubStoreOptions): Promise<HubStore> {
  const kind = options.kind ?? (process.env['BERTH_TEST_STORE'] === 's3' ? 's3' : 'disk');
  if (kind === 'disk') {
    const root = join(folder, 'data');
    return { config: { kind, folder: root }, s3: undefined, keys: () => keysOnDisk(root), close: async () => {} };
  }
  const s3 = await startFakeS3();
  Object.assign(process.env, s3.env);
  const { bucket, region, endpoint } = s3;
  return {
    config: {
      kind,
      bucket,
      region,
      endpoint,
      forcePathStyle: true,
      ...(options.redirects ? { publicEndpoint: endpoint } : {}),
      ...(options.s3Timeout === undefined ? {} : { timeout: options.s3Timeout }),
    },
    s3,
    keys: async () => [
      ...s3.objects().filter((key) => key.startsWith('objects/')),
      ...s3.uploads().map(({ key }) => key),
    ],
    close: () => s3.stop(),
  };
}
