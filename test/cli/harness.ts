/** `berth` as people run it: the bundle, in a process of its own, with a home of its own, on the Node of this machine. */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import type { TestHub } from '../harness/hub.ts';

const DIST = fileURLToPath(new URL('../../cli/dist/', import.meta.url));

/** The one that a user has: not ours in node_modules, unless there is no other. */
const NODE =
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .map((folder) => join(folder, 'node'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    }) ?? process.execPath;

const homes: string[] = [];
// A hook that a test would register in its middle is not run.
afterAll(() => Promise.all(homes.map((home) => rm(home, { recursive: true, force: true }))));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly program?: 'berth' | 'docker-credential-berth';
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Is given the process as soon as it runs. */
  readonly started?: (child: ChildProcess) => void;
}

export interface Cli {
  /** A folder that goes at the end, with config/ and state/ in it. */
  readonly home: string;
  run(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Makes files below the home. */
  write(files: Readonly<Record<string, string | Buffer>>): Promise<void>;
  at(...path: string[]): string;
}

/** @param env what the user has set, beside PATH and folders */
export async function makeCli(env: Readonly<Record<string, string>> = {}): Promise<Cli> {
  const home = await mkdtemp(join(tmpdir(), 'berth-cli-'));
  homes.push(home);
  const at = (...path: string[]) => join(home, ...path);
  return {
    home,
    at,
    async write(files) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(at(name)), { recursive: true });
        await writeFile(at(name), content);
      }
    },
    run(args, options = {}) {
      const child = spawn(NODE, [join(DIST, `${options.program ?? 'berth'}.mjs`), ...args], {
        cwd: home,
        env: {
          PATH: `${home}:${process.env['PATH'] ?? ''}`,
          HOME: home,
          XDG_CONFIG_HOME: at('config'),
          XDG_STATE_HOME: at('state'),
          ...env,
          ...options.env,
        },
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      child.stdin.on('error', () => {}).end(options.input ?? '');
      options.started?.(child);
      return new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code) => resolve({ code, stdout, stderr }));
      });
    },
  };
}

/** As a CI job has it: the hub and a token in the environment. */
export async function ciCli(hub: TestHub, more: Readonly<Record<string, string>> = {}): Promise<Cli> {
  return makeCli({ BERTH_HUB: hub.origin, BERTH_TOKEN: await newToken(hub), ...more });
}

export async function newToken(hub: TestHub, actions = ['pull', 'push', 'delete']): Promise<string> {
  const made = await hub.api('POST', '/me/tokens', { name: 'cli', actions });
  return (JSON.parse(made.body.toString()) as { token: string }).token;
}
