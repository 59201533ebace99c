/** The program of a worker process: does what the primary says, and ends with it. */
import { flushCompileCache } from 'node:module';
import { collectGarbage } from './collect-garbage.ts';
import { type RunningWorker, startWorker } from '../worker-process.ts';
import type { FromWorker, HubStart, ToWorker } from './hub-start.ts';

let running: RunningWorker | undefined;

// Ctrl-C in a terminal reaches every process; the primary says what happens next.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
// The primary is gone, perhaps by kill -9. Another hub may already be starting on the same data.
process.on('disconnect', () => process.exit(1));
process.on('message', (message: ToWorker) => void act(message).catch(fail));

async function act(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'prepare':
      say({ type: 'prepared', ...(await prepare(message.start)) });
      break;
    case 'start':
      process.title = `berth worker ${message.start.worker}`;
      running = await startWorker(message.start);
      say({ type: 'ready' });
      // Written now: a worker that is killed writes nothing.
      flushCompileCache();
      collectGarbage();
      break;
    case 'free':
      // Where this fails, the worker that takes the place does it again.
      await running?.free(message.claimant).catch(() => {});
      break;
    case 'close':
      await running?.close();
      process.exit(0);
  }
}

async function prepare({ config, secrets }: HubStart): Promise<{ password?: string }> {
  const { prepareDatabase } = await import('./prepare.ts');
  return prepareDatabase(config, secrets);
}

function fail(error: unknown): void {
  const { message, stack = '' } = error as Error;
  say({ type: 'failed', message, stack }, () => process.exit(1));
}

function say(message: FromWorker, then = () => {}): void {
  process.send?.(message, undefined, undefined, then);
}
