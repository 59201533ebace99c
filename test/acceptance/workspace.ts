import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './command.ts';

export interface Workspace extends AsyncDisposable {
  readonly path: string;
  /** Makes a folder inside and answers its path. */
  folder(name: string): Promise<string>;
}

/** A temporary folder that goes away with its mounts, whatever a container engine left in it. */
export async function makeWorkspace(name: string): Promise<Workspace> {
  const path = await mkdtemp(join(tmpdir(), `berth-${name}-`));
  return {
    path,
    async folder(child) {
      await mkdir(join(path, child), { recursive: true });
      return join(path, child);
    },
    async [Symbol.asyncDispose]() {
      for (const mount of await mountsBelow(path)) await run('umount', [mount]);
      await rm(path, { recursive: true, force: true });
    },
  };
}

async function mountsBelow(path: string): Promise<string[]> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return mounts
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((mount) => mount.startsWith(`${path}/`))
    .toSorted((a, b) => b.length - a.length);
}
