import { join } from 'node:path';
import type { Workspace } from '../workspace.ts';
import { type Client, loginBy, runner } from './client.ts';

export async function makeSkopeo(workspace: Workspace): Promise<Client> {
  const home = await workspace.folder('skopeo');
  const options = { env: { REGISTRY_AUTH_FILE: join(home, 'auth.json') } };
  return {
    run: runner('skopeo', [], options),
    login: loginBy('skopeo', [], options, ['--tls-verify=false']),
  };
}
