import { run } from '../command.ts';
import type { Target } from '../target.ts';

export interface Curl {
  /** Asks with the administrator's password, and answers the body. Fails on a status from 400 on, with what was said. */
  (path: string, ...flags: string[]): Promise<string>;
}

/** curl with its credentials on standard input: arguments are visible to other users. */
export function makeCurl(hub: Target): Curl {
  return async (path, ...flags) => {
    const flagsForAll = ['--silent', '--show-error', '--fail-with-body', '--globoff', '--config', '-'];
    const said = await run('curl', [...flagsForAll, ...flags, `${hub.url}${path}`], {
      input: `user = "${hub.user}:${hub.password}"\n`,
    });
    return said.stdout;
  };
}

export interface FileCurl {
  /** Runs curl in a folder, with whole URLs, and answers what it printed. */
  run(...args: string[]): Promise<string>;
  /** Runs curl and gives it up after a while, as a bad line would. */
  cut(seconds: number, ...args: string[]): Promise<void>;
}

/** curl as people use it for files: it reads and writes those of the folder. */
export function makeFileCurl(hub: Target, folder: string): FileCurl {
  const flags = ['--silent', '--show-error', '--fail-with-body', '--globoff', '--config', '-'];
  const options = { cwd: folder, input: `user = "${hub.user}:${hub.password}"\n` };
  return {
    run: async (...args) => (await run('curl', [...flags, ...args], options)).stdout.trim(),
    async cut(seconds, ...args) {
      await run('curl', [...flags, '--max-time', String(seconds), ...args], options).catch(() => {});
    },
  };
}
