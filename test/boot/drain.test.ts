import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { freePort, type HubProcess, runHub } from '../harness/hub-process.ts';
import { childrenOf, gone, isAlive, postmasterIn } from '../harness/processes.ts';
import { beginUpload, start, temporaryFolder } from './start.ts';

test('SIGTERM: an upload under way ends well, nothing new is taken, exit code 0', async () => {
  const hub = await start();
  const upload = await beginUpload(hub);
  const open = await connection(hub);
  const pids = [hub.pid, ...hub.workerPids(), await hub.postgresPid()];
  process.kill(hub.pid, 'SIGTERM');

  await refused(hub);
  // A connection without a request has ended, so that nobody takes the hub for ready.
  expect(await text(open)).toBe('');

  upload.body.end('the rest');
  const [response] = (await once(upload.body, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(202);
  response.resume();
  expect(await hub.exited).toBe(0);
  await gone(pids);
});

test('after BERTH_DRAIN_SECONDS an upload that goes on is cut', async () => {
  const hub = await start({ env: { BERTH_DRAIN_SECONDS: '1' } });
  const upload = await beginUpload(hub);
  const broken = once(upload.body, 'error');
  const from = performance.now();
  process.kill(hub.pid, 'SIGTERM');
  expect(await hub.exited).toBe(0);
  expect(performance.now() - from).toBeGreaterThan(900);
  await broken;
});

test('a second signal, later than the same press of Ctrl-C, ends at once', async () => {
  const hub = await start({ env: { BERTH_DRAIN_SECONDS: '3600' } });
  await beginUpload(hub);
  const pids = [...hub.workerPids(), await hub.postgresPid()];
  const from = performance.now();
  // What npm and the terminal send for one press does nothing more; the first one after that does.
  const pressing = setInterval(() => isAlive(hub.pid) && process.kill(hub.pid, 'SIGINT'), 10);
  onTestFinished(() => clearInterval(pressing));
  expect(await hub.exited).toBe(130);
  expect(performance.now() - from).toBeGreaterThan(500);
  await gone(pids);
});

/** Moments of a start, from where a test can see them. */
const MOMENTS: [string, (hub: { pid: number; dataDir: string; output: string }) => Promise<boolean>][] = [
  ['at once', async () => true],
  ['when it has locked its folder', async ({ dataDir }) => (await readdir(dataDir)).includes('lock.pid')],
  ['when its workers load', async ({ pid }) => childrenOf(pid).length > 0],
  ['while the cluster is made', async ({ dataDir }) => (await readdir(dataDir)).some((name) => name.includes('.new-'))],
  ['while Postgres starts', async ({ dataDir }) => (await postmasterIn(dataDir)) !== undefined],
  ['when it says that it is ready', async ({ output }) => output.includes('is ready at')],
];

test.for(MOMENTS)('a signal %s ends a first start well, with nothing left', async ([, hasCome]) => {
  const dataDir = await temporaryFolder();
  const { code, output } = await runHub({
    dataDir,
    port: await freePort(),
    onSpawn: async (pid, printed) => {
      while (isAlive(pid) && !(await hasCome({ pid, dataDir, output: printed() }))) await sleep(1);
      if (isAlive(pid)) process.kill(pid, 'SIGTERM');
    },
  });
  // Node itself takes a moment to be able to listen for signals. A hub that was ended by one had not begun.
  if (code === 'SIGTERM') expect(await readdir(dataDir)).toEqual([]);
  else expect(code, output).toBe(0);
  expect(await postmasterIn(dataDir)).toBeUndefined();
});

test('a signal while it waits for a Postgres that is not there ends it at once', async () => {
  let from = 0;
  const { code } = await runHub({
    dataDir: await temporaryFolder(),
    port: await freePort(),
    env: { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing' },
    onSpawn: async (pid, output) => {
      while (isAlive(pid) && !output().includes('waiting for Postgres')) await sleep(10);
      from = performance.now();
      process.kill(pid, 'SIGINT');
    },
  });
  expect(code).toBe(0);
  // It would go on waiting for a minute.
  expect(performance.now() - from).toBeLessThan(40_000);
});

/** One that has had an answer and stays open. */
async function connection(hub: HubProcess): Promise<Socket> {
  const socket = connect(hub.port, '127.0.0.1');
  await once(socket, 'connect');
  // A first answer, so that a worker has it.
  socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'data');
  return socket;
}

/** Waits until connections are refused. */
async function refused(hub: HubProcess): Promise<void> {
  for (;;) {
    const socket = connect(hub.port, '127.0.0.1');
    const outcome = await Promise.race([once(socket, 'connect'), once(socket, 'error')]).catch((error: Error) => [
      error,
    ]);
    socket.destroy();
    if (outcome[0] instanceof Error) return;
    await sleep(10);
  }
}
