/** Folders whose names survive a power cut. A file is only durable when every folder above it is, too. */
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes the names in `folder` durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates `root` with the folders above it, all durable when this resolves. */
export async function createRoot(root: string): Promise<void> {
  const first = await mkdir(root, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let folder = root; folder !== dirname(first); folder = dirname(folder)) await syncFolder(dirname(folder));
}

/** The folders below one root. */
export class Folders {
  readonly #root: string;
  /**
   * Folders whose own name this process has made durable. A folder that exists is not enough: the process that
   * created it may have died before it synced the parent.
   */
  readonly #durable = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Creates the folder and those above it, but never the root: without it, this is not the place where the bytes are. */
  async create(folder: string): Promise<void> {
    try {
      await mkdir(folder, 0o700);
      this.#durable.delete(folder);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return;
      if (code !== 'ENOENT' || dirname(folder) === this.#root) throw error;
      await this.create(dirname(folder));
      await this.create(folder);
    }
  }

  /** Makes the names in `folder` durable and, once for each, those of the folders above it. */
  async sync(folder: string): Promise<void> {
    await syncFolder(folder);
    for (let child = folder; child !== this.#root && !this.#durable.has(child); child = dirname(child)) {
      await syncFolder(dirname(child));
      this.#durable.add(child);
    }
  }
}
