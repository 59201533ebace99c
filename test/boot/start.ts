/** Starting hubs and making folders that are gone when the test is over, however it ends. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request, type ClientRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type HubProcess, type HubProcessOptions, startHub } from '../harness/hub-process.ts';

/** `startHub`, stopped at the end of the test. */
export async function start(options: HubProcessOptions = {}): Promise<HubProcess> {
  const hub = await startHub(options);
  onTestFinished(async () => void (await hub.stop()));
  return hub;
}

/** An empty folder, removed at the end of the test. */
export async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'berth-boot-'));
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 10 }));
  return path;
}

/** The status that the administrator's password gets. */
export async function signIn(hub: HubProcess, password = hub.adminPassword): Promise<number> {
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
  return (await fetch(`${hub.url}/v2/`, { headers: { authorization } })).status;
}

/** A PATCH that the hub is taking in: it has said that it wants the body, which has begun and not ended. */
export async function beginUpload(hub: HubProcess): Promise<{ body: ClientRequest; location: string }> {
  const authorization = `Basic ${Buffer.from(`admin:${hub.adminPassword}`).toString('base64')}`;
  const created = await fetch(`${hub.url}/v2/boot/app/blobs/uploads/`, { method: 'POST', headers: { authorization } });
  expect(created.status).toBe(202);
  const location = created.headers.get('location')!;
  const body = request(new URL(location, hub.url), {
    method: 'PATCH',
    headers: { authorization, 'transfer-encoding': 'chunked', expect: '100-continue' },
  });
  const wanted = once(body, 'continue');
  // When it is cut; a test that minds listens too.
  body.on('error', () => {});
  body.flushHeaders();
  await wanted;
  body.write('the beginning, ');
  return { body, location };
}
