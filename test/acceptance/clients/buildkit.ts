import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../command.ts';
import { startDaemon } from '../daemon.ts';
import type { Target } from '../target.ts';
import type { Workspace } from '../workspace.ts';

export interface BuildKit extends AsyncDisposable {
  /** Builds the Dockerfile of a folder and answers the log of the build. */
  build(context: string, ...flags: string[]): Promise<string>;
  /** Drops the local cache, so that the next build has only the registry's. */
  forget(): Promise<unknown>;
}

/** A standalone buildkitd: the code that containerd and docker buildx push and pull with. */
export async function startBuildKit(workspace: Workspace, hub: Target): Promise<BuildKit> {
  const home = await workspace.folder('buildkit');
  const socket = `unix://${join(home, 'buildkitd.sock')}`;
  await writeFile(join(home, 'buildkitd.toml'), `[registry."${hub.host}"]\n  http = true\n`);
  await writeFile(join(home, 'config.json'), dockerCredentials(hub));
  const buildctl = (...args: string[]) =>
    run('buildctl', ['--addr', socket, ...args], { env: { DOCKER_CONFIG: home } });
  const daemon = await startDaemon(
    'buildkitd',
    [
      ...['--addr', socket, '--root', join(home, 'root'), '--config', join(home, 'buildkitd.toml')],
      ...['--oci-worker-snapshotter=native', '--containerd-worker=false'],
    ],
    () => buildctl('debug', 'workers'),
  );
  return {
    async build(context, ...flags) {
      const sources = ['--local', `context=${context}`, '--local', `dockerfile=${context}`];
      return (await buildctl('build', '--progress=plain', '--frontend=dockerfile.v0', ...sources, ...flags)).stderr;
    },
    forget: () => buildctl('prune', '--all'),
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}

/** What `docker login` writes; buildctl has no login of its own and reads docker's. */
function dockerCredentials(hub: Target): string {
  const auth = Buffer.from(`${hub.user}:${hub.password}`).toString('base64');
  return JSON.stringify({ auths: { [hub.host]: { auth } } });
}
