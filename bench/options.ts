/** The command line of the bench. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Scale } from './load/protocol.ts';
import { WORKLOADS } from './load/workloads.ts';
import { readDemands } from './report/demands.ts';

export interface Options {
  readonly rounds: number;
  readonly scale: Scale;
  readonly workloads: readonly string[];
  /** Names of the servers to run, Berth first; empty for all that are found. */
  readonly sides: readonly string[];
  /** Parent of the scratch folder that holds the data of every server. */
  readonly folder: string;
  /** A file of ratios that must be reached. */
  readonly demands: string;
  /** Fail when a demand is missed. */
  readonly strict: boolean;
  readonly memory: boolean;
}

const GIB = 1024 ** 3;

export const HELP = `npm run bench -- [options]
npm run bench -- files [--rounds N] [--seconds N] [--folder DIR]   files through /files, beside nginx
npm run bench -- retention [--tags N]            previews of retention over many tags

  --smoke            three rounds of a second of the workloads that have a floor, a large blob of 256 MiB;
                     fails below bench/floors.json
  --rounds N         rounds of each workload on each server (5)
  --seconds N        length of a round (3)
  --only ID,…        workloads: ${WORKLOADS.map(({ id }) => id).join(', ')}
  --sides NAME,…     servers: berth, docker-registry, distribution, zot (all that are found)
  --folder DIR       where the scratch folder is made; its file system is measured (/var/tmp)
  --demands FILE     ratios to compare with (bench/targets.json)
  --strict           exit with 1 when a demand is missed
  --no-memory        leave out the rounds that sample memory
`;

/** @throws on an unknown option or workload */
export function readOptions(argv: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    allowNegative: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      smoke: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      sides: { type: 'string' },
      folder: { type: 'string', default: '/var/tmp' },
      demands: { type: 'string' },
      strict: { type: 'boolean' },
      memory: { type: 'boolean', default: true },
    },
  });
  if (values.help) return 'help';
  const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const demands = values.demands ?? file(values.smoke ? 'floors.json' : 'targets.json');
  const ids = WORKLOADS.map(({ id }) => id);
  const workloads = values.only?.split(',') ?? (values.smoke ? Object.keys(readDemands(demands).rate) : ids);
  const unknown = workloads.filter((id) => !ids.includes(id));
  if (unknown.length > 0) throw new Error(`No such workload: ${unknown.join(', ')}. There are: ${ids.join(', ')}`);
  return {
    rounds: count(values.rounds, values.smoke ? 3 : 5, 'rounds'),
    scale: {
      seconds: count(values.seconds, values.smoke ? 1 : 3, 'seconds'),
      largeBlob: values.smoke ? GIB / 4 : GIB,
      tags: 10_000,
      pushes: values.smoke ? 1 : 3,
    },
    workloads,
    sides: values.sides?.split(',') ?? [],
    folder: values.folder,
    demands,
    strict: values.strict ?? values.smoke,
    memory: values.memory,
  };
}

function count(text: string | undefined, fallback: number, name: string): number {
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number above 0`);
  return value;
}
