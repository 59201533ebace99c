/** Who may run a hub, and from where: Postgres refuses root, and a home with mode 0700 keeps everyone else out. */
import { chown, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { HubProcess } from '../harness/hub-process.ts';
import { signIn, start, temporaryFolder } from './start.ts';

const root = process.getuid!() === 0;
const CLONE = new URL('../../', import.meta.url).pathname.replace(/\/$/, '');
const NOBODY = 65_534;

/** A folder that only its owner may enter. */
async function home(uid = process.getuid!()): Promise<string> {
  const path = await temporaryFolder();
  await mkdir(join(path, 'clone'));
  await chown(path, uid, uid);
  return path;
}

/** The clone seems to be at `at`, for the hub alone, which starts there: its processes share a private view of the file system. */
function cloneAt(at: string): string[] {
  return ['unshare', '--mount', '--', 'sh', '-c', 'mount --bind "$0" "$1" && cd "$1" && shift && exec "$@"', CLONE, at];
}

async function works(hub: HubProcess): Promise<void> {
  expect(await signIn(hub)).toBe(200);
  expect(await hub.stop()).toBe(0);
}

test.runIf(root)('root: clone and data below a folder that only root may enter', async () => {
  const path = await home();
  const clone = join(path, 'clone');
  const hub = await start({ dataDir: join(path, 'data'), root: clone, wrapper: cloneAt(clone) });
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  expect((await stat(join(path, 'data', 'postgres'))).uid).toBe(0);
  await works(hub);
});

test.runIf(root)('an ordinary user', async () => {
  const path = await home(NOBODY);
  const clone = join(path, 'clone');
  const hub = await start({
    dataDir: join(path, 'data'),
    root: clone,
    wrapper: [...cloneAt(clone), 'setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'],
  });
  expect((await stat(join(path, 'data', 'postgres'))).uid).toBe(NOBODY);
  await works(hub);
});

test.runIf(root)('a data folder of someone else is refused in a sentence', async () => {
  const path = await home(NOBODY);
  await mkdir(join(path, 'postgres'), { mode: 0o700 });
  await chown(join(path, 'postgres'), 12_345, 12_345);
  await expect(start({ dataDir: path })).rejects.toThrow(/postgres belongs to uid 12345, and Berth runs as uid 0/);

  const closed = await home();
  const nobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'];
  const clone = join(await home(NOBODY), 'clone');
  const wrapper = [...cloneAt(clone), ...nobody];
  await expect(start({ dataDir: join(closed, 'data'), root: clone, wrapper })).rejects.toThrow(
    /data folder .* cannot be written to by nobody/,
  );
});
