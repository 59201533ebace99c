/** Chooses the store. The S3 client is loaded only by hubs that use it. */
import type { BlobStore, Redirects } from './store.ts';

export type StoreConfig =
  | { readonly kind: 'disk'; readonly folder: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      readonly region: string;
      readonly endpoint?: string;
      /** Where clients reach the same bucket, for redirects. */
      readonly publicEndpoint?: string;
      readonly forcePathStyle: boolean;
      /** Milliseconds that S3 has to answer a small request; no setting, but tests have less patience. */
      readonly timeout?: number;
    };

export async function openStore(config: StoreConfig): Promise<{ store: BlobStore; redirects: Redirects | undefined }> {
  if (config.kind === 'disk') {
    const { openDiskStore } = await import('./disk.ts');
    return { store: await openDiskStore({ folder: config.folder }), redirects: undefined };
  }
  const { openS3Store } = await import('./s3.ts');
  const store = await openS3Store(config);
  return { store, redirects: store.presign ? (store as BlobStore & Redirects) : undefined };
}
