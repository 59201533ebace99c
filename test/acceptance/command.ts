import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Where `.ci/install-clients.sh` puts the clients that no package manager has. */
const builtClients = join(process.env.BERTH_CLIENTS_DIR ?? join(homedir(), '.cache/berth-ci'), 'bin');

export const searchPath = [process.env.PATH, '/usr/sbin', builtClients].join(delimiter);

/** Where a shell would find the command, or undefined where it is not installed. */
export function whereIs(command: string): string | undefined {
  const candidates = searchPath.split(delimiter).map((folder) => join(folder, command));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  input?: string;
  timeoutMs?: number;
}

export interface Output {
  stdout: string;
  stderr: string;
}

/** Runs a command to its end. A failure carries what the client said, since that is what a user would see. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
  const { env = {}, cwd, input = '', timeoutMs = 170_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, PATH: searchPath, ...env },
      ...(cwd === undefined ? {} : { cwd }),
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => (output[stream] += text));
    }
    // A client may exit before it reads its input.
    child.stdin.on('error', () => {}).end(input);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const ending = signal ? `was ended by ${signal}` : `exited with ${code}`;
      const said = `${output.stdout}\n${output.stderr}`.trim().split('\n').slice(-40).join('\n');
      reject(new Error(`${command} ${args.join(' ')} ${ending}:\n${said}`));
    });
  });
}
