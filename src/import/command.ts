/** `berth import chartmuseum`, as it is typed: flags over environment, and no secret among the arguments. */
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../config/errors.ts';
import type { Environment } from '../config/sources.ts';
import { parseNamespace } from '../registry/charts/names.ts';
import { importChartMuseum } from './chartmuseum.ts';
import type { Credentials } from './transfer.ts';

export interface ImportFlags {
  readonly hub?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly sourceUser?: string;
  readonly sourcePasswordFile?: string;
  readonly parallel?: string;
}

/** More would not make the hub faster, and each holds a chart in memory. */
const MOST_PARALLEL = 32;

/** @throws {ConfigError} with everything that is wrong */
export async function runImport(
  from: string,
  namespace: string,
  flags: ImportFlags,
  env: Environment,
  say: (line: string) => void,
): Promise<number> {
  const problems: string[] = [];
  const secret = async (file: string | undefined, name: string): Promise<string | undefined> => {
    const path = file ?? (env[name] === undefined ? env[`${name}_FILE`] : undefined);
    if (path === undefined) return env[name];
    try {
      return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
    } catch (error) {
      problems.push(`The password cannot be read: ${(error as Error).message}.`);
      return undefined;
    }
  };
  const password = await secret(flags.passwordFile, 'BERTH_CLIENT_PASSWORD');
  const sourcePassword = await secret(flags.sourcePasswordFile, 'BERTH_CLIENT_SOURCE_PASSWORD');
  const address = flags.hub ?? env['BERTH_CLIENT_HUB'] ?? 'http://127.0.0.1:8080';
  const hub = URL.parse(address);
  const parallel = Number(flags.parallel ?? 8);
  if (hub === null || !/^https?:$/.test(hub.protocol)) problems.push(`--hub is not a URL: ${address}.`);
  if (!parseNamespace(namespace)) {
    problems.push(
      `${namespace} cannot hold charts; it is a path of lower-case words such as acme/charts, none called api.`,
    );
  }
  if (!(Number.isInteger(parallel) && parallel >= 1 && parallel <= MOST_PARALLEL)) {
    problems.push(`--parallel is a number from 1 to ${MOST_PARALLEL}.`);
  }
  if (password === undefined && problems.length === 0) {
    problems.push(
      'Put a password or a token into BERTH_CLIENT_PASSWORD, or name a file that has it with --password-file.',
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const credentials: Credentials = { user: flags.user ?? env['BERTH_CLIENT_USER'] ?? '', password: password as string };
  const sourceUser = flags.sourceUser ?? env['BERTH_CLIENT_SOURCE_USER'] ?? '';
  return importChartMuseum({
    from,
    namespace,
    hub: hub as URL,
    credentials,
    sourceCredentials: sourcePassword === undefined ? undefined : { user: sourceUser, password: sourcePassword },
    parallel,
    say,
  });
}
