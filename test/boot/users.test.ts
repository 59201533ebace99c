/** Who may run a hub, and from where: Postgres refuses root, and a home with mode 0700 keeps everyone else out. */
import { chown, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type HubProcess, startHub } from '../harness/hub-process.ts';

const root = process.getuid!() === 0;
const CLONE = new URL('../../', import.meta.url).pathname.replace(/\/$/, '');
const NOBODY = 65_534;

/** A folder that only its owner may enter. */
async function home(uid = process.getuid!()): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'berth-home-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  await mkdir(join(path, 'clone'));
  await chown(path, uid, uid);
  return path;
}

/** The clone seems to be at `at`, for the hub alone: its processes share a private view of the file system. */
function cloneAt(at: string): string[] {
  return ['unshare', '--mount', '--', 'sh', '-c', 'mount --bind "$0" "$1" && shift && exec "$@"', CLONE, at];
}

async function works(hub: HubProcess): Promise<void> {
  const authorization = `Basic ${Buffer.from(`admin:${hub.adminPassword}`).toString('base64')}`;
  expect((await fetch(`${hub.url}/v2/`, { headers: { authorization } })).status).toBe(200);
  expect(await hub.stop()).toBe(0);
}

test.runIf(root)('root: clone and data below a folder that only root may enter', async () => {
  const path = await home();
  const clone = join(path, 'clone');
  const hub = await startHub({ dataDir: join(path, 'data'), root: clone, wrapper: cloneAt(clone) });
  onTestFinished(() => void hub.stop());
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  expect((await stat(join(path, 'data', 'postgres'))).uid).toBe(0);
  await works(hub);
});

test.runIf(root)('an ordinary user', async () => {
  const path = await home(NOBODY);
  const clone = join(path, 'clone');
  const hub = await startHub({
    dataDir: join(path, 'data'),
    root: clone,
    wrapper: [...cloneAt(clone), 'setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'],
  });
  onTestFinished(() => void hub.stop());
  expect((await stat(join(path, 'data', 'postgres'))).uid).toBe(NOBODY);
  await works(hub);
});

test.runIf(root)('a data folder of someone else is refused in a sentence', async () => {
  const path = await home(NOBODY);
  await mkdir(join(path, 'postgres'), { mode: 0o700 });
  await chown(join(path, 'postgres'), 12_345, 12_345);
  await expect(startHub({ dataDir: path })).rejects.toThrow(/postgres belongs to uid 12345, and Berth runs as uid 0/);

  const closed = await home();
  const nobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'];
  const [clone] = [join(await home(NOBODY), 'clone')];
  await expect(
    startHub({ dataDir: join(closed, 'data'), root: clone, wrapper: [...cloneAt(clone), ...nobody] }),
  ).rejects.toThrow(/data folder .* cannot be written to by nobody/);
});
