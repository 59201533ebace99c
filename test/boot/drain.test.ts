import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { freePort, type HubProcess, runHub } from '../harness/hub-process.ts';
import { gone, postmasterIn } from '../harness/processes.ts';
import { start, temporaryFolder } from './start.ts';

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
  process.kill(hub.pid, 'SIGINT');
  process.kill(hub.pid, 'SIGINT');
  await refused(hub);
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(hub.workerPids()).not.toEqual([]);
  process.kill(hub.pid, 'SIGINT');
  expect(await hub.exited).toBe(130);
  await gone(pids);
});

test.for([50, 300, 600, 900, 1_500])('a signal %i ms after its start ends it well, with nothing left', async (ms) => {
  const dataDir = await temporaryFolder();
  const { code, output } = await runHub({
    dataDir,
    port: await freePort(),
    onSpawn: (pid) => setTimeout(() => process.kill(pid, 'SIGTERM'), ms),
  });
  // Node itself takes a moment to be able to listen for signals.
  expect(output + code).toMatch(ms < 500 ? /(0|SIGTERM)$/ : /0$/);
  expect(await postmasterIn(dataDir)).toBeUndefined();
});

test('a signal while it waits for a Postgres that is not there ends it at once', async () => {
  const from = performance.now();
  const { code, output } = await runHub({
    dataDir: await temporaryFolder(),
    port: await freePort(),
    env: { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing' },
    onSpawn: (pid) => setTimeout(() => process.kill(pid, 'SIGINT'), 4_000),
  });
  expect(output).toContain('waiting for Postgres');
  expect(code).toBe(0);
  expect(performance.now() - from).toBeLessThan(20_000);
});

/** A PATCH whose body has begun and not ended. */
async function beginUpload(hub: HubProcess): Promise<{ body: ClientRequest }> {
  const authorization = `Basic ${Buffer.from(`admin:${hub.adminPassword}`).toString('base64')}`;
  const created = await fetch(`${hub.url}/v2/boot/app/blobs/uploads/`, { method: 'POST', headers: { authorization } });
  expect(created.status).toBe(202);
  const body = request(new URL(created.headers.get('location')!, hub.url), {
    method: 'PATCH',
    headers: { authorization, 'content-type': 'application/octet-stream', 'transfer-encoding': 'chunked' },
  });
  // When it is cut; a test that minds listens too.
  body.on('error', () => {});
  body.write('the beginning, ');
  // The request has to be inside the hub before it is told to end: its upload shows as claimed then.
  await once(body, 'socket');
  await new Promise((resolve) => setTimeout(resolve, 300));
  return { body };
}

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
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
