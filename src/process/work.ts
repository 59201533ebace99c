/** `berth worker`: background jobs and nothing else, beside hubs that have theirs turned off. */
import { ConfigError } from '../config/errors.ts';
import { completeSecrets, type Reading } from '../config.ts';
import { createContext } from '../context.ts';
import { createLog } from '../log.ts';
import { startWorkerJobs } from '../worker.ts';
import { withMigrated } from './prepare.ts';
import { listenForSignals } from './signals.ts';

/** Runs until a signal ends it. Returns the exit code. */
export async function work({ config, secrets }: Reading): Promise<number> {
  if (config.database.kind === 'embedded') {
    throw new ConfigError([
      'berth worker needs DATABASE_URL. With the embedded Postgres, `berth serve` runs the background jobs itself.',
    ]);
  }
  const log = createLog(config.logLevel, 'jobs');
  const signals = listenForSignals();
  await withMigrated(config, async () => {});
  const context = await createContext(config, await completeSecrets(config, secrets), { process: 'jobs' });
  const runner = await startWorkerJobs(context);
  log.info({}, 'background jobs are running');
  const signal = await signals.first;
  log.info({ signal }, 'ending: jobs under way may finish');
  const ended = runner[Symbol.asyncDispose]().then(() => context[Symbol.asyncDispose]());
  const insisted = await Promise.race([ended, signals.second]);
  return insisted === undefined ? 0 : 1;
}
