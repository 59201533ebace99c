/** The embedded Postgres by itself, in the states that crashes, moves and other systems bring it into. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from '../../src/db/embedded.ts';
import { gone, isAlive } from '../harness/processes.ts';
import { temporaryFolder } from './start.ts';

const root = process.getuid!() === 0;
const quiet = { info: () => {}, error: () => {} };

async function start(folder: string, options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ folder, log: quiet, ...options });
  onTestFinished(() => postgres.stop());
  return postgres;
}

async function query(postgres: EmbeddedPostgres, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    return (await client.query({ text, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

test('it is durable, answers on its private socket only, and sorts by bytes', async () => {
  const folder = join(await temporaryFolder(), 'postgres');
  const postgres = await start(folder);
  const durable = ['fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums'];
  for (const name of durable) expect(await query(postgres, `show ${name}`)).toEqual(['on']);
  expect(await query(postgres, 'show listen_addresses')).toEqual(['']);
  expect(await query(postgres, `select n from unnest('{b,a,B,é}'::text[]) n order by n`)).toEqual(['B', 'a', 'b', 'é']);
  expect((await stat(new URL(postgres.url).searchParams.get('host')!)).mode & 0o777).toBe(0o700);
});

test('a path too long for a socket', async () => {
  const folder = join(await temporaryFolder(), 'x'.repeat(90), 'postgres');
  const postgres = await start(folder);
  const socketFolder = new URL(postgres.url).searchParams.get('host')!;
  expect(socketFolder.length).toBeLessThan(80);
  expect((await stat(socketFolder)).mode & 0o777).toBe(0o700);
  expect(await query(postgres, 'select 1')).toEqual([1]);
});

test('a set-up that was cut off leaves nothing that counts', async () => {
  const parent = await temporaryFolder();
  await mkdir(join(parent, 'postgres.new-1234', 'base'), { recursive: true });
  const postgres = await start(join(parent, 'postgres'));
  expect(await query(postgres, 'select current_database()')).toEqual(['berth']);
  expect((await readdir(parent)).filter((name) => name.includes('.new-'))).toEqual([]);
});

test('a pid file that names a process of someone else does not keep it from starting', async () => {
  const folder = join(await temporaryFolder(), 'postgres');
  await (await start(folder)).stop();
  const pidFile = [
    process.pid,
    folder,
    1_700_000_000,
    5432,
    `${folder}.socket`,
    '',
    '  1234567    123456',
    'ready   ',
    '',
  ];
  await writeFile(join(folder, 'postmaster.pid'), pidFile.join('\n'));
  await mkdir(`${folder}.socket`, { mode: 0o700 });
  await writeFile(join(`${folder}.socket`, '.s.PGSQL.5432.lock'), pidFile.join('\n'));
  const postgres = await start(folder);
  expect(postgres.adopted).toBe(false);
  expect(await query(postgres, 'select 1')).toEqual([1]);
});

test('one that was left running is taken over, unless its settings are others', async () => {
  const folder = join(await temporaryFolder(), 'postgres');
  const pid = await leaveRunning(folder);
  const same = await start(folder);
  expect([same.adopted, same.pid]).toEqual([true, pid]);
  expect(await query(same, 'select 1')).toEqual([1]);
  await same.stop();
  expect(isAlive(pid)).toBe(false);

  const other = await leaveRunning(folder);
  const changed = await start(folder, { settings: { work_mem: '5MB' } });
  expect(changed.adopted).toBe(false);
  expect(changed.pid).not.toBe(other);
  expect(await query(changed, 'show work_mem')).toEqual(['5MB']);
});

test('one that was taken over is started again when it dies', async () => {
  const folder = join(await temporaryFolder(), 'postgres');
  const pid = await leaveRunning(folder);
  const adopted = await start(folder);
  process.kill(pid, 'SIGKILL');
  while (adopted.pid === pid) await sleep(10);
  expect(await query(adopted, 'select 1')).toEqual([1]);
});

test('a data folder that was moved', async () => {
  const parent = await temporaryFolder();
  const first = await start(join(parent, 'here', 'postgres'));
  await query(first, 'create table kept as select 42 as answer');
  await first.stop();
  await rename(join(parent, 'here'), join(parent, 'there'));
  const second = await start(join(parent, 'there', 'postgres'));
  expect(await query(second, 'select answer from kept')).toEqual([42]);
});

test('a cluster of another version is refused with a sentence', async () => {
  const folder = join(await temporaryFolder(), 'postgres');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'PG_VERSION'), '16\n');
  await expect(start(folder)).rejects.toThrow(/was made by Postgres 16, and this Berth comes with Postgres 18/);
});

test('why it does not start is in the error', async () => {
  const folder = join(await temporaryFolder(), 'postgres');
  await expect(start(folder, { settings: { shared_buffers: 'plenty' } })).rejects.toThrow(/shared_buffers.*"plenty"/s);
});

test.runIf(root)(
  'without user namespaces root runs it as another user, with the data still in the data folder',
  async () => {
    const parent = await temporaryFolder();
    execFileSync('chmod', ['755', parent]);
    const folder = join(parent, 'data', 'postgres');
    const first = await start(folder, { account: 'other' });
    const uid = Number(/^Uid:\s+(\d+)/m.exec(await readFile(`/proc/${first.pid}/status`, 'utf8'))![1]);
    expect(uid).not.toBe(0);
    expect((await stat(folder)).uid).toBe(uid);
    await query(first, 'create table kept as select 42 as answer');
    await first.stop();
    // Later starts stay with that user, even where a namespace would do.
    const second = await start(folder);
    expect(await query(second, 'select answer from kept')).toEqual([42]);
  },
);

/** Starts one in a process that is then killed; returns the number of the Postgres that goes on. */
async function leaveRunning(folder: string): Promise<number> {
  const program = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(new URL('../../src/db/embedded.ts', import.meta.url).href)});
    const log = { info() {}, error() {} };
    const postgres = await startEmbeddedPostgres({ folder: ${JSON.stringify(folder)}, log });
    console.log(postgres.pid);
    setInterval(() => {}, 1_000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(owner.stdout, 'data')) as [Buffer];
  owner.kill('SIGKILL');
  await gone([owner.pid!]);
  return Number(line.toString());
}
