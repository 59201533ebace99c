/** The real client, where there is one: how long `helm repo update` takes from its start to its end. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface Helm {
  readonly name: string;
  /** Milliseconds. */
  update(): number;
}

/** Those that `.ci/install-clients.sh` puts in place, or a `helm` on the PATH. */
export function findHelms(env: NodeJS.ProcessEnv): readonly { name: string; file: string }[] {
  const built = path.join(env['BERTH_CLIENTS_DIR'] ?? path.join(os.homedir(), '.cache/berth-ci'), 'bin');
  const folders = [...(env['PATH'] ?? '').split(path.delimiter), built];
  return ['helm-3.8', 'helm-3', 'helm-4', 'helm'].flatMap((name) => {
    const file = folders.map((folder) => path.join(folder, name)).find((candidate) => fs.existsSync(candidate));
    return file === undefined ? [] : [{ name, file }];
  });
}

/** A helm that knows this one repository. */
export function setUpHelm(
  { name, file }: { name: string; file: string },
  home: string,
  url: string,
  credentials: { user: string; password: string } | undefined,
): Helm {
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    HELM_CACHE_HOME: path.join(home, 'cache'),
    HELM_CONFIG_HOME: path.join(home, 'config'),
    HELM_DATA_HOME: path.join(home, 'data'),
  };
  const helm = (...args: string[]): void => void execFileSync(file, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const access = credentials === undefined ? [] : ['--username', credentials.user, '--password', credentials.password];
  helm('repo', 'add', 'bench', url, ...access);
  return {
    name,
    update() {
      const begin = performance.now();
      helm('repo', 'update');
      return performance.now() - begin;
    },
  };
}
