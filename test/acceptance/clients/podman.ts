import { join } from 'node:path';
import type { Workspace } from '../workspace.ts';
import { type Client, loginBy, runner } from './client.ts';

export async function makePodman(workspace: Workspace): Promise<Client> {
  const home = await workspace.folder('podman');
  const flags = [
    ...['--root', join(home, 'root'), '--runroot', join(home, 'run'), '--tmpdir', join(home, 'tmp')],
    ...['--storage-driver=vfs', '--cgroup-manager=cgroupfs', '--events-backend=none'],
  ];
  const options = { env: { REGISTRY_AUTH_FILE: join(home, 'auth.json'), BUILDAH_ISOLATION: 'chroot' } };
  return {
    run: runner('podman', flags, options),
    login: loginBy('podman', flags, options, ['--tls-verify=false']),
  };
}
