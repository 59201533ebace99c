import { expect, it } from 'vitest';
import { keysOnDisk } from '../harness/leftovers.ts';
import { torture } from './kills.ts';
import { numberFrom, seedOfThisRun } from './random.ts';

it('kill -9 at random moments, bytes on disk: what was acknowledged is there, nothing else is, no object lacks an owner', async () => {
  const kills = numberFrom('BERTH_TORTURE_KILLS', 20);
  const report = await torture({ seed: seedOfThisRun('kills, disk'), kills, keys: (dataDir) => keysOnDisk(dataDir) });
  console.log(
    `kills, disk: ${kills} kills (${JSON.stringify(report.victims)}), ${report.acknowledged} acknowledgements, slowest start ${Math.round(report.slowestStartMs)} ms`,
  );
  expect(report.problems).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(kills);
});
