import type { Workspace } from '../workspace.ts';
import { type Client, loginBy, runner } from './client.ts';

/** crane takes plain HTTP for granted on loopback. */
export async function makeCrane(workspace: Workspace): Promise<Client> {
  const options = { env: { DOCKER_CONFIG: await workspace.folder('crane') } };
  return { run: runner('crane', [], options), login: loginBy('crane', ['auth'], options) };
}
