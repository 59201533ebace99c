/** Starting hubs and making folders that are gone when the test is over, however it ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
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
