import { run } from '../command.ts';
import type { Target } from '../target.ts';
import { runner, type Client } from './client.ts';

export interface Curl extends Pick<Client, 'run'> {
  /** Runs curl and gives it up after a while, as a cable would. */
  cut(seconds: number, ...args: string[]): Promise<void>;
}

/** curl with the credentials in its configuration, where arguments do not show them. Fails on any answer from 400 on. */
export function makeCurl(hub: Target, folder: string): Curl {
  const flags = ['--silent', '--show-error', '--fail-with-body', '--globoff', '--user', `${hub.user}:${hub.password}`];
  return {
    run: runner('curl', flags, { cwd: folder }),
    async cut(seconds, ...args) {
      await run('curl', [...flags, '--max-time', String(seconds), ...args], { cwd: folder }).catch(() => {});
    },
  };
}
