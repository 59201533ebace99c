import { join } from 'node:path';
import { startDaemon } from '../daemon.ts';
import type { Workspace } from '../workspace.ts';
import { type Client, loginBy, runner } from './client.ts';

/**
 * Docker with an engine of its own that needs neither a network bridge nor an overlay file system.
 * @param env what else its user has set
 */
export async function startDocker(
  workspace: Workspace,
  env: Readonly<Record<string, string>> = {},
): Promise<Client & AsyncDisposable> {
  const home = await workspace.folder('docker');
  const host = `unix://${join(home, 'docker.sock')}`;
  const options = { env: { ...env, DOCKER_HOST: host, DOCKER_CONFIG: join(home, 'config') } };
  const docker = runner('docker', [], options);
  const engine = await startDaemon(
    'dockerd',
    [
      ...['--host', host, '--pidfile', join(home, 'pid')],
      ...['--data-root', join(home, 'data'), '--exec-root', join(home, 'exec')],
      ...['--storage-driver=vfs', '--iptables=false', '--ip6tables=false', '--bridge=none'],
    ],
    () => docker('version'),
  );
  return {
    run: docker,
    login: loginBy('docker', [], options),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}
