/** Where a storm's hub keeps its bytes, looked at without asking the hub. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ListObjectsV2Command, S3Client, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { makeBucket } from '../acceptance/bucket.ts';
import { startFakeS3 } from '../harness/fake-s3.ts';
import { keysOnDisk } from '../harness/leftovers.ts';

export interface StormStore extends AsyncDisposable {
  readonly name: string;
  /** What the hub finds it with. */
  readonly env: Readonly<Record<string, string>>;
  /** Bytes of every object there is, by key. */
  objects(dataDir: string): Promise<Map<string, number>>;
}

export function diskStore(): StormStore {
  return {
    name: 'disk',
    env: {},
    async objects(dataDir) {
      const sizes = new Map<string, number>();
      for (const key of await keysOnDisk(dataDir)) {
        // What goes while we look is gone.
        const found = await stat(join(dataDir, key)).catch(() => undefined);
        if (found) sizes.set(key, found.size);
      }
      return sizes;
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** A real bucket when BERTH_TEST_S3_ENDPOINT names a server, as for the other suites; otherwise the fake. */
export async function s3Store(): Promise<StormStore> {
  const { BERTH_TEST_S3_ENDPOINT: endpoint } = process.env;
  return endpoint === undefined ? fakeStore() : realStore(endpoint);
}

async function fakeStore(): Promise<StormStore> {
  const s3 = await startFakeS3({ checkSignatures: false });
  return {
    name: 'S3 (fake)',
    env: { ...s3.env, BERTH_S3_BUCKET: s3.bucket, BERTH_S3_ENDPOINT: s3.endpoint },
    async objects() {
      const whole = s3.objects().map((key): [string, number] => [key, s3.body(key)?.length ?? 0]);
      const open = s3
        .uploads()
        .map(({ key, parts }): [string, number] => [key, parts.reduce((sum, { size }) => sum + size, 0)]);
      return new Map([...open, ...whole].filter(([key]) => key.startsWith('objects/')));
    },
    [Symbol.asyncDispose]: () => s3.stop(),
  };
}

async function realStore(endpoint: string): Promise<StormStore> {
  const { settings, remove } = await makeBucket(endpoint);
  const of = (name: string): string => settings[name] ?? '';
  const credentials = { accessKeyId: of('AWS_ACCESS_KEY_ID'), secretAccessKey: of('AWS_SECRET_ACCESS_KEY') };
  const s3 = new S3Client({ endpoint, region: of('BERTH_S3_REGION'), forcePathStyle: true, credentials });
  return {
    name: 'S3',
    env: settings,
    async objects() {
      const sizes = new Map<string, number>();
      let after: string | undefined;
      do {
        const page: ListObjectsV2CommandOutput = await s3.send(
          new ListObjectsV2Command({ Bucket: of('BERTH_S3_BUCKET'), Prefix: 'objects/', ContinuationToken: after }),
        );
        for (const { Key, Size } of page.Contents ?? []) sizes.set(Key ?? '', Size ?? 0);
        after = page.NextContinuationToken;
      } while (after !== undefined);
      return sizes;
    },
    async [Symbol.asyncDispose]() {
      s3.destroy();
      await remove();
    },
  };
}
