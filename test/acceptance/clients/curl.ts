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
