import { expect, it } from 'vitest';
import { startHub } from '../harness/hub-process.ts';
import { keysOnDisk } from '../harness/leftovers.ts';
import { isAlive } from '../harness/processes.ts';
import { pushThrough } from './long-run.ts';
import { numberFrom, Random, seedOfThisRun } from './random.ts';

it.each(['killed', 'stopped'])(
  'Postgres %s in mid-push: clients get 503 or success, nothing is lost, the hub recovers by itself',
  async (how) => {
    const restarts = numberFrom('BERTH_TORTURE_RESTARTS', 5);
    const random = new Random(seedOfThisRun(`Postgres ${how}`));
    await using hub = await startHub({ env: { BERTH_ADMIN_PASSWORD: 'torture-password' } });
    const processes = [hub.pid, ...hub.workerPids()];
    const run = pushThrough(hub, random.below(2 ** 31));
    for (let restart = 0; restart < restarts; restart++) {
      await run.more(1 + random.below(15));
      const before = await hub.postgresPid();
      // SIGINT is the fast shutdown: sessions are ended, transactions rolled back.
      if (how === 'killed') await hub.kill9('postgres');
      else process.kill(before, 'SIGINT');
      await run.more(4);
      expect(await hub.postgresPid()).not.toBe(before);
    }
    expect(await run.finish(() => keysOnDisk(hub.dataDir))).toEqual([]);
    expect(
      processes.filter((pid) => !isAlive(pid)),
      'processes of the hub that ended',
    ).toEqual([]);
    console.log(`Postgres ${how}: ${restarts} times, ${run.pushes()} pushes acknowledged`);
  },
);
