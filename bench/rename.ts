/**
 * `npm run bench -- rename`: how long another name takes for a project with much in it and for one with little, side by side, and how
 * long a pull by a former name takes beside one by the name.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { findEmbeddedPostgres } from '../src/db/embedded.ts';
import { describeMachine } from './measure/machine.ts';
import { median } from './report/summary.ts';
import { startBerth } from './sides/berth.ts';
import type { Side } from './sides/side.ts';

type Target = Side['target'];

const HELP = `npm run bench -- rename [options]

  --repositories N  in the large project (10000)
  --artifacts N     in each of its repositories (10)
  --rounds N        renames of each project, and times 20 pulls (50)
  --folder DIR      where the scratch folder is made (/var/tmp)

Exits with 1 when a rename of the large project takes more than twice as long as one of the small project, by the median.
`;

const MAY_DIFFER = 2;

export async function benchRename(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      repositories: { type: 'string', default: '10000' },
      artifacts: { type: 'string', default: '10' },
      rounds: { type: 'string', default: '50' },
      folder: { type: 'string', default: '/var/tmp' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const [repositories, artifacts, rounds] = [values.repositories, values.artifacts, values.rounds].map(Number) as [
    number,
    number,
    number,
  ];
  const folder = fs.mkdtempSync(path.join(values.folder, 'berth-bench-rename-'));
  const side = await startBerth(folder);
  try {
    const client = new pg.Client({
      connectionString: await findEmbeddedPostgres(path.join(folder, 'berth', 'postgres')),
    });
    await client.connect();
    try {
      await fill(client, 'little', 1, 10);
      await fill(client, 'much', repositories, artifacts);
      await client.query('vacuum analyze');
    } finally {
      await client.end();
    }
    const renames = new Map<string, number[]>([
      ['little', []],
      ['much', []],
    ]);
    // In turns, so that whatever else the machine does is the same to both.
    for (let round = 0; round < rounds; round++) {
      for (const [project, times] of renames)
        times.push(await rename(side.target, nameOf(project, round), nameOf(project, round + 1)));
    }
    const [little, much] = [...renames.values()].map(median) as [number, number];
    const pulls = [nameOf('much', rounds), nameOf('much', rounds - 1)];
    const times = pulls.map((): number[] => []);
    for (let i = 0; i < rounds * 20; i++) {
      for (const [which, project] of pulls.entries()) {
        times[which]!.push(await timed(() => ask(side.target, 'HEAD', `/v2/${project}/app-1/manifests/none`)));
      }
    }
    const machine = describeMachine(folder);
    const ms = (value: number): string => `${value.toFixed(2)} ms`;
    process.stdout.write(
      `${machine.cpu}, ${machine.cores} cores, ${side.version}\n` +
        `another name for a project of 10 artifacts: ${ms(little)} (median of ${rounds})\n` +
        `… of ${repositories * artifacts} artifacts in ${repositories} repositories: ${ms(much)}, ${(much / little).toFixed(2)} times\n` +
        `a look for a manifest by the name: ${ms(median(times[0]!))}, by a former one: ${ms(median(times[1]!))}\n`,
    );
    return much / little > MAY_DIFFER ? 1 : 0;
  } finally {
    await side.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Rows as pushes would leave them, without bytes: nothing here reads a manifest. */
async function fill(client: pg.Client, project: string, repositories: number, artifacts: number): Promise<void> {
  await client.query('insert into projects (name) values ($1)', [nameOf(project, 0)]);
  await client.query(
    `with made as (
       insert into repositories (project_id, path)
       select p.id, p.name || '/app-' || i from projects p, generate_series(1, $2::int) i where p.name = $1 returning id
     ), pushed as (
       insert into manifests (repository_id, digest, media_type, kind, size)
       select id, '\\x01'::bytea || sha256((id || ' ' || i)::bytea), 'application/vnd.oci.image.manifest.v1+json', 'image', 500
       from made, generate_series(1, $3::int) i returning id, repository_id
     )
     insert into tags (repository_id, name, manifest_id) select repository_id, 't' || id, id from pushed`,
    [nameOf(project, 0), repositories, artifacts],
  );
}

/** Names of the same length, whatever the project. */
function nameOf(project: string, round: number): string {
  return `${project.padEnd(6, 'x')}-${round}`;
}

async function rename(target: Target, from: string, to: string): Promise<number> {
  return timed(() => ask(target, 'POST', `/api/v1/projects/${from}/rename`, { name: to }, 200));
}

async function timed(work: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

async function ask(target: Target, method: string, url: string, body?: object, status = 404): Promise<void> {
  const { user, password } = target.credentials!;
  const answer = await fetch(`${target.origin}${url}`, {
    method,
    headers: {
      Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
      'Content-Type': 'application/json',
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (answer.status !== status) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
}
