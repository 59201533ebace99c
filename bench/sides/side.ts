/** A server under test. */
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import type { Target } from '../load/protocol.ts';

export interface Side {
  readonly target: Target;
  /** What exactly runs: version, and the compiler where the binary says it. */
  readonly version: string;
  stop(): Promise<void>;
}

export interface Launch {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
}

const READY_MS = 60_000;
const STOP_MS = 20_000;

/** A port of the loopback interface that is free at the moment. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Starts a server and waits until it answers on `probe`. Its output goes to a file, and of our environment it gets only
 * what every program needs: a developer's own settings must not change what is measured.
 */
export async function launch(options: Launch, origin: string, probe = '/v2/'): Promise<ChildProcess> {
  const log = fs.openSync(options.logFile, 'a');
  const child = spawn(options.command, options.args, {
    stdio: ['ignore', log, log],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.env },
  });
  fs.closeSync(log);
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  const deadline = Date.now() + READY_MS;
  while (!(await answers(`${origin}${probe}`))) {
    if (failure === undefined && child.exitCode !== null) failure = new Error(`it ended with ${child.exitCode}`);
    if (failure === undefined && Date.now() > deadline) failure = new Error(`no answer in ${READY_MS / 1000} s`);
    if (failure !== undefined) {
      await end(child);
      throw new Error(`${options.name} did not start: ${failure.message}\n${tail(options.logFile)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return child;
}

/** Asks a process to end, and insists after a while. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await gone;
  clearTimeout(insist);
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.status === 200 || response.status === 401;
  } catch {
    return false;
  }
}

function tail(file: string): string {
  return fs.readFileSync(file, 'utf8').split('\n').slice(-20).join('\n');
}
