/** `berth serve`: the primary process of a hub, from the lock on its data to the last worker's end. */
import { flushCompileCache } from 'node:module';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { forkWorkers, type Workers } from './workers.ts';
import { WORKER_FLAGS } from './worker-flags.ts';
import { completeSecrets, type Config, type Reading, usesDataDir } from '../config.ts';
import { collectGarbage } from './collect-garbage.ts';
import { lockDataFolder } from './data-folder.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../db/embedded.ts';
import { greeting } from './greeting.ts';
import { createLog, type Log } from '../log.ts';
import { listenForSignals } from './signals.ts';

/** The workers of a hub that was killed let go of the port in moments. */
const PORT_PATIENCE_MS = 2_000;

/** What runs so far; ended in reverse. */
interface Running {
  lock?: Disposable;
  workers?: Workers;
  postgres?: EmbeddedPostgres;
}

/** Runs until a signal ends it. Returns the exit code. */
export async function serve({ config, secrets }: Reading): Promise<number> {
  const log = createLog(config.logLevel, 'primary');
  const signals = listenForSignals();
  const running: Running = {};
  const up = start(running, config, secrets, log);
  // Failures before the first signal are the caller's; after it they do not matter.
  const interrupted = await Promise.race([signals.first, up.then(() => signals.first)]).catch(
    async (error: unknown) => {
      await end(running);
      throw error;
    },
  );
  log.info({ signal: interrupted, seconds: config.drainSeconds }, 'ending: requests under way may finish');
  const ended = (async () => {
    // First, since a hub that is still starting waits for them.
    await running.workers?.close();
    await up.catch(() => {});
    return end(running);
  })();
  const insisted = await Promise.race([ended, signals.second]);
  if (insisted === undefined) return 0;
  log.warn({ signal: insisted }, 'ending at once');
  running.workers?.kill();
  await running.postgres?.stop();
  return insisted === 'SIGINT' ? 130 : 143;
}

async function start(running: Running, config: Config, given: Reading['secrets'], log: Log): Promise<void> {
  if (usesDataDir(config)) running.lock = await lockDataFolder(config.dataDir);
  await requireFreePort(config);
  running.workers = forkWorkers({ count: config.workers, jobs: config.jobs, nodeFlags: WORKER_FLAGS, log });
  const secrets = await completeSecrets(config, given);
  let { database } = config;
  if (database.kind === 'embedded') {
    const folder = join(config.dataDir, 'postgres');
    running.postgres = await startEmbeddedPostgres({ folder, log: log.child({ part: 'postgres' }) });
    database = { kind: 'external', url: running.postgres.url };
  }
  const hub = { config: { ...config, database }, secrets };
  const password = await running.workers.prepare(hub);
  try {
    await running.workers.start(hub);
  } catch (error) {
    // It will not be made again.
    if (password !== undefined) process.stdout.write(`The password of admin is ${password}\n`);
    throw error;
  }
  process.stdout.write(greeting(config.publicUrls[0]!, password));
  // Lets go of the compiled code in memory, too.
  flushCompileCache();
  collectGarbage();
}

async function end(running: Running): Promise<undefined> {
  await running.workers?.close();
  await running.postgres?.stop();
  running.lock?.[Symbol.dispose]();
}

/** Before anything is started: the sentence comes soon, and a hub that cannot listen touches no data. */
async function requireFreePort({ host, port }: Config): Promise<void> {
  const deadline = performance.now() + PORT_PATIENCE_MS;
  for (;;) {
    const problem = await tryToListen(host, port);
    if (problem === undefined) return;
    if (problem.code === 'EADDRINUSE' && performance.now() < deadline) {
      await sleep(50);
      continue;
    }
    const reasons: Record<string, string> = {
      EADDRINUSE: `Port ${port} on ${host} is already in use. Stop what listens there, or choose another with --port or BERTH_PORT.`,
      EACCES: `Port ${port} on ${host} may only be used by root. Choose another with --port or BERTH_PORT.`,
    };
    throw new Error(reasons[problem.code ?? ''] ?? `Cannot listen on ${host}:${port}: ${problem.message}`, {
      cause: problem,
    });
  }
}

async function tryToListen(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  probe.close();
  await once(probe, 'close');
  return undefined;
}
