import { describe, test } from 'vitest';
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

/** Groups tests that need these clients. A missing client is named, and where all are required it fails. */
export function describeClients(title: string, clients: readonly string[], tests: () => void): void {
  const missing = clients.filter((client) => whereIs(client) === undefined);
  const verdict = `not found: ${missing.join(', ')}`;
  if (missing.length === 0) {
    describe(title, tests);
  } else if (process.env.BERTH_REQUIRE_CLIENTS === '1') {
    test(title, () => {
      throw new Error(verdict);
    });
  } else {
    test.skip(`${title} (${verdict})`, () => {});
  }
}
