import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { basic, blob, expectStatus } from '../harness/oci-client.ts';

const hub = await testHub({ config: { limits: { bodyIdleSeconds: 1 } } });
const repo = await hub.repo();

/** The head of a request that announces more than will come. */
function head(method: string, path: string, length: number): string {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${new URL(hub.origin).host}`,
    `Authorization: ${basic(hub.adminCredentials)}`,
    `Content-Length: ${length}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Resolves when the hub has ended the connection. */
async function ended(socket: Socket): Promise<void> {
  socket.resume();
  socket.on('error', () => {});
  if (!socket.closed) await once(socket, 'close');
}

describe('a body that stops coming', () => {
  it('is given up; the upload keeps what came, and goes on', async () => {
    const content = blob(400_000);
    const location = await repo.mustStart();
    const socket = connect(Number(new URL(hub.origin).port), '127.0.0.1');
    socket.write(head('PATCH', new URL(location, hub.origin).pathname, content.size));
    socket.write(content.bytes.subarray(0, 100_000));
    await ended(socket);
    const status = expectStatus(await repo.at(location, 'GET'), 204);
    const last = Number(status.header('Range')?.split('-')[1]);
    const there = last === 0 ? 0 : last + 1;
    expect(there).toBeLessThanOrEqual(100_000);
    const rest = content.bytes.subarray(there);
    expectStatus(await repo.close(location, content.digest, rest, there), 201);
    expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
  });

  it('is given up for a manifest, and nothing is there', async () => {
    const socket = connect(Number(new URL(hub.origin).port), '127.0.0.1');
    socket.write(head('PUT', `/v2/${repo.name}/manifests/slow`, 1_000));
    socket.write('{"schemaVersion":');
    await ended(socket);
    expect((await repo.headManifest('slow')).status).toBe(404);
  });
});

it('a body that comes in pieces, each in time, is taken however long it takes in all', async () => {
  const content = blob(40);
  const location = await repo.mustStart();
  const answer = await repo.patch(location, async function* () {
    for (let at = 0; at < content.size; at += 10) {
      yield content.bytes.subarray(at, at + 10);
      // The pause is what is tested: shorter than the limit each, longer in all.
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
  });
  expectStatus(answer, 202);
  expectStatus(await repo.close(location, content.digest), 201);
});
