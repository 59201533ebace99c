import { type Output, run, type RunOptions, whereIs } from '../command.ts';
import type { Target } from '../target.ts';

/** A real client as a user would have it: its own configuration, its own storage, its own words. */
export interface Client {
  /** Runs the client with these arguments and answers what it printed. */
  run(...args: string[]): Promise<string>;
  login(hub: Target): Promise<unknown>;
}

/** Makes `run` for a client whose settings travel in environment variables and leading flags. */
export function runner(command: string, flags: readonly string[], options: RunOptions): Client['run'] {
  return async (...args) => (await run(command, [...flags, ...args], options)).stdout.trim();
}

/** Gives the password on standard input, as every client asks for: arguments are visible to other users. */
export function loginBy(
  command: string,
  flags: readonly string[],
  options: RunOptions,
  afterLogin: readonly string[] = [],
): (hub: Target) => Promise<Output> {
  return (hub) =>
    run(command, [...flags, 'login', ...afterLogin, '--username', hub.user, '--password-stdin', hub.host], {
      ...options,
      input: hub.password,
    });
}

/** Stands among the clients of a test that starts a daemon, or unpacks files with their owners. */
export const rootRights = 'root rights';

/** For `describe.skipIf`: names the clients that are not installed. Where all are required, it throws instead. */
export function lacks(...clients: readonly string[]): boolean {
  const missing = clients.filter((client) => !isThere(client));
  if (missing.length === 0) return false;
  const verdict = `not found: ${missing.join(', ')}`;
  if (process.env.BERTH_REQUIRE_CLIENTS === '1') throw new Error(verdict);
  console.warn(verdict);
  return true;
}

function isThere(client: string): boolean {
  return client === rootRights ? process.getuid?.() === 0 : whereIs(client) !== undefined;
}
