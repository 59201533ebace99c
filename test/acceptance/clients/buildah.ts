import { join } from 'node:path';
import type { Workspace } from '../workspace.ts';
import { type Client, loginBy, runner } from './client.ts';

export async function makeBuildah(workspace: Workspace): Promise<Client> {
  const home = await workspace.folder('buildah');
  const flags = ['--root', join(home, 'root'), '--runroot', join(home, 'run'), '--storage-driver=vfs'];
  const options = { env: { REGISTRY_AUTH_FILE: join(home, 'auth.json'), BUILDAH_ISOLATION: 'chroot' } };
  return {
    run: runner('buildah', flags, options),
    login: loginBy('buildah', flags, options, ['--tls-verify=false']),
  };
}
