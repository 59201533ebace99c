/** Who is signed in where: `$XDG_CONFIG_HOME/berth/credentials.json`, for its owner alone, or a docker credential helper. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CliError, printable, usage } from './errors.ts';

export interface Credentials {
  readonly username: string;
  /** A token, or what docker gave to keep. */
  readonly secret: string;
}

export interface Settings {
  /** Origin of the hub that commands go to unless they say another. */
  readonly current?: string;
  /** `docker-credential-<helper>` keeps the secrets instead of this file. */
  readonly helper?: string;
  readonly hubs: Readonly<Record<string, Credentials>>;
}

type Env = NodeJS.ProcessEnv;

function configFolder(env: Env): string {
  return join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'berth');
}

/** What may be lost: how far uploads are. */
export function stateFolder(env: Env): string {
  return join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'berth');
}

export async function readSettings(env: Env): Promise<Settings> {
  const file = join(configFolder(env), 'credentials.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { hubs: {} };
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    const settings = JSON.parse(text) as Settings;
    return { ...settings, hubs: settings.hubs ?? {} };
  } catch {
    throw new CliError(`${file} is damaged; remove it and sign in again`);
  }
}

/** Whole or not at all, and never readable to others. */
export async function writeSettings(env: Env, settings: Settings): Promise<void> {
  const folder = configFolder(env);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'credentials.json');
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(settings, undefined, 2)}\n`);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

export async function findCredentials(env: Env, origin: string): Promise<Credentials | undefined> {
  const { helper, hubs } = await readSettings(env);
  if (helper === undefined) return Object.hasOwn(hubs, origin) ? hubs[origin] : undefined;
  const said = await callHelper(helper, 'get', origin);
  if (said === undefined) return undefined;
  const { Username: username, Secret: secret } = JSON.parse(said) as { Username: string; Secret: string };
  return { username, secret };
}

export async function keepCredentials(env: Env, origin: string, credentials: Credentials): Promise<void> {
  const settings = await readSettings(env);
  if (settings.helper === undefined) {
    await writeSettings(env, { ...settings, hubs: { ...settings.hubs, [origin]: credentials } });
    return;
  }
  const { username: Username, secret: Secret } = credentials;
  await callHelper(settings.helper, 'store', JSON.stringify({ ServerURL: origin, Username, Secret }));
}

/** @returns whether there were any */
export async function dropCredentials(env: Env, origin: string): Promise<boolean> {
  const settings = await readSettings(env);
  if (settings.helper !== undefined) return (await callHelper(settings.helper, 'erase', origin)) !== undefined;
  const { [origin]: gone, ...hubs } = settings.hubs;
  if (gone) await writeSettings(env, { ...settings, hubs });
  return gone !== undefined;
}

/**
 * The protocol of docker's credential helpers: a verb, something on standard input, an answer on standard output.
 * @returns undefined when it has no such credentials
 */
async function callHelper(helper: string, verb: string, input: string): Promise<string | undefined> {
  if (!/^[A-Za-z0-9._-]+$/.test(helper)) throw usage('A credential helper is named by a word, such as secretservice');
  const command = `docker-credential-${helper}`;
  const child = spawn(command, [verb], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stdin.on('error', () => {}).end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(new CliError(`${command} does not run: ${error.message}`)));
    child.once('close', resolve);
  });
  if (code === 0) return said;
  if (/not found/i.test(said)) return undefined;
  throw new CliError(`${command} ${verb} failed: ${printable(said)}`);
}

/** `127.0.0.1:8080`, `hub.example.org` or a whole URL, as the origin of a hub. @throws {CliError} usage */
export function originOf(text: string): string {
  const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?(?:\/|$)/.test(text);
  const whole = /^[a-z]+:\/\//i.test(text) ? text : `${loopback ? 'http' : 'https'}://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw usage(`${JSON.stringify(printable(text))} is no address of a hub`);
  return url.origin;
}

/** The value of an Authorization header. */
export function basic({ username, secret }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`;
}
