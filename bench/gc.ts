/** `npm run bench:gc`: what garbage collection costs, and what others notice of it. Exits with 1 when a limit is passed. */
import { parseArgs } from 'node:util';
import { PACE } from '../src/registry/gc/jobs.ts';
import { latency } from './gc/latency.ts';
import { scale } from './gc/scale.ts';
import { gitVersion, load } from './measure/machine.ts';

const HELP = `npm run bench:gc -- scale [options]     rows of very many contents, a store that only counts
  --blobs N          contents in all (10000000)
  --garbage N        of those, unreferenced (1000000)
  --part N           the small run that it is compared with, as a part of the large one; 0: none (0.1)
  --pace N           pauses between batches as a part of their time (${PACE}, which the hub's job has)
  --plans            print the plan of each statement of the collector

npm run bench:gc -- latency [options]   pushes and pulls with and without collection, in turns
  --rounds N         pairs of windows (8)
  --seconds N        length of a window (12)
  --utilisation N    part of what the machine can do at most (0.5)
  --blobs N          contents in all (1000000)
  --garbage N        of those, to be collected in the windows (400000)

  --folder DIR       where the scratch folder is made; its file system is measured (/var/tmp)
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    blobs: { type: 'string' },
    garbage: { type: 'string' },
    part: { type: 'string', default: '0.1' },
    pace: { type: 'string', default: String(PACE) },
    plans: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '12' },
    utilisation: { type: 'string', default: '0.5' },
    folder: { type: 'string', default: '/var/tmp' },
  },
});
const { folder } = values;

function run(): Promise<string[]> | undefined {
  if (positionals[0] === 'scale') {
    return scale({
      blobs: Number(values.blobs ?? 10_000_000),
      garbage: Number(values.garbage ?? 1_000_000),
      part: Number(values.part),
      pace: Number(values.pace),
      printPlans: values.plans,
      folder,
    });
  }
  if (positionals[0] === 'latency') {
    return latency({
      blobs: Number(values.blobs ?? 1_000_000),
      garbage: Number(values.garbage ?? 400_000),
      rounds: Number(values.rounds),
      seconds: Number(values.seconds),
      utilisation: Number(values.utilisation),
      folder,
    });
  }
  return undefined;
}

const running = values.help ? undefined : run();
if (running === undefined) {
  console.log(HELP);
  process.exitCode = values.help ? 0 : 2;
} else {
  console.log(
    `${gitVersion()}, node ${process.version}, load ${load()
      .map((n) => n.toFixed(1))
      .join(' and ')}`,
  );
  const problems = await running;
  console.log(
    `load ${load()
      .map((n) => n.toFixed(1))
      .join(' and ')}`,
  );
  for (const problem of problems) console.log(`MISSED: ${problem}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
