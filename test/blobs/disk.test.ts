import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDiskStore } from '../../src/blobs/disk.ts';
import { describeBlobStore } from '../contract/blob-store.ts';

describeBlobStore('the store on disk', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-disk-'));
  return {
    open: () => openDiskStore({ folder }),
    async remains() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
});
