/** Berth as `berth serve` starts it for a newcomer: embedded Postgres, data folder, token auth. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gitVersion } from '../measure/machine.ts';
import { end, freePort, launch, type Side } from './side.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** @param env settings that differ from the default, such as another store */
export async function startBerth(folder: string, env: Readonly<Record<string, string>> = {}): Promise<Side> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const dataDir = path.join(folder, 'berth');
  const password = randomBytes(18).toString('base64url');
  fs.mkdirSync(dataDir, { recursive: true });
  const child = await launch(
    {
      name: 'berth',
      command: process.execPath,
      args: [path.join(ROOT, 'bin/berth.mjs'), 'serve'],
      env: {
        BERTH_PORT: String(port),
        BERTH_DATA_DIR: dataDir,
        BERTH_ADMIN_PASSWORD: password,
        ...env,
      },
      logFile: path.join(folder, 'berth.log'),
    },
    origin,
  );
  const pids = [child.pid!, ...detachedPostgres(dataDir)];
  return {
    target: { name: 'berth', origin, pids, credentials: { user: 'admin', password } },
    version: `${gitVersion()}, node ${process.version}`,
    stop: () => end(child),
  };
}

/** A Postgres that is no descendant of the server is found by the pid file in its cluster. */
function detachedPostgres(dataDir: string): readonly number[] {
  const files = fs.globSync('{,*/,*/*/}postmaster.pid', { cwd: dataDir });
  return files.map((file) => Number(fs.readFileSync(path.join(dataDir, file), 'utf8').split('\n')[0]));
}
