import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { searchPath } from './command.ts';

/**
 * Starts a client's own daemon, answers when `ready` does not throw any more, and stops it on disposal.
 * `setpriv` ends it as well when the test process is killed before it can dispose of anything.
 */
export async function startDaemon(
  command: string,
  args: readonly string[],
  ready: () => Promise<unknown>,
): Promise<AsyncDisposable> {
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', command, ...args], {
    env: { ...process.env, PATH: searchPath },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-20_000)));
  }
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const escalation = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await exited.finally(() => clearTimeout(escalation));
  };
  try {
    await poll(`${command} to be ready`, async () => {
      if (child.exitCode !== null) throw new Error(`${command} exited with ${child.exitCode}`);
      return ready();
    });
  } catch (cause) {
    await stop();
    throw new Error(`${command} did not start:\n${log}`, { cause });
  }
  return { [Symbol.asyncDispose]: stop };
}

async function poll(what: string, attempt: () => Promise<unknown>, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (cause) {
      if (Date.now() > deadline) throw new Error(`gave up waiting for ${what}`, { cause });
      await delay(100);
    }
  }
}
