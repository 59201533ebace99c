#!/usr/bin/env node
/**
 * docker's credential helper protocol over what `berth login` keeps: after it, docker needs no login of its own, and what
 * `docker login` keeps is there for `berth`. A verb; something on standard input; an answer on standard output.
 */
import { CliError, printable } from './errors.ts';
import { Hub } from './http.ts';
import { basic, originOf, readSettings, writeSettings, type Credentials } from './settings.ts';

const NOT_FOUND = 'credentials not found in native keychain';

/** What docker calls a server: `127.0.0.1:8080`, with or without scheme and path. The scheme does not tell hubs apart. */
function hostOf(server: string): string {
  return new URL(originOf(server.trim())).host;
}

async function main(verb: string, env: NodeJS.ProcessEnv): Promise<string> {
  const settings = await readSettings(env);
  const known = (host: string) => Object.keys(settings.hubs).filter((origin) => new URL(origin).host === host);
  switch (verb) {
    case 'get': {
      const server = (await readInput()).trim();
      const host = hostOf(server);
      const kept = (await fromEnvironment(env, host)) ?? settings.hubs[known(host)[0] ?? ''];
      if (!kept) throw new CliError(NOT_FOUND);
      return JSON.stringify({ ServerURL: server, Username: kept.username, Secret: kept.secret });
    }
    case 'store': {
      const { ServerURL, Username, Secret } = JSON.parse(await readInput()) as Record<string, string>;
      if (!ServerURL || !Username || !Secret) throw new CliError('ServerURL, Username and Secret are needed');
      const origin = known(hostOf(ServerURL))[0] ?? originOf(ServerURL);
      await writeSettings(env, {
        ...settings,
        hubs: { ...settings.hubs, [origin]: { username: Username, secret: Secret } },
      });
      return '';
    }
    case 'erase': {
      const gone = new Set(known(hostOf(await readInput())));
      const hubs = Object.entries(settings.hubs).filter(([origin]) => !gone.has(origin));
      if (gone.size > 0) await writeSettings(env, { ...settings, hubs: Object.fromEntries(hubs) });
      return '';
    }
    case 'list':
      return JSON.stringify(
        Object.fromEntries(Object.entries(settings.hubs).map(([origin, { username }]) => [origin, username])),
      );
    default:
      throw new CliError('Usage: docker-credential-berth get | store | erase | list');
  }
}

/** docker has to name the owner beside a token; unless BERTH_USER does, the hub is asked. */
async function fromEnvironment(env: NodeJS.ProcessEnv, host: string): Promise<Credentials | undefined> {
  const { BERTH_TOKEN: token, BERTH_HUB: address, BERTH_USER: user } = env;
  if (!token || !address || hostOf(address) !== host) return undefined;
  const secret = token.trim();
  if (user) return { username: user, secret };
  const authorization = basic({ username: '<token>', secret });
  const hub = new Hub({ origin: originOf(address), authorization, retries: 2, say: () => {} });
  try {
    return { username: (await hub.json<{ name: string }>('GET', '/api/v1/me')).name, secret };
  } finally {
    hub.close();
  }
}

async function readInput(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > 64 * 1024) throw new CliError('That is too long');
  }
  return text;
}

try {
  process.stdout.write(await main(process.argv[2] ?? '', process.env));
} catch (error) {
  // docker looks for the sentence on standard output.
  process.stdout.write(`${printable((error as Error).message)}\n`);
  process.exitCode = 1;
}
