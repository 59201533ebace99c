import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { whereIs } from '../command.ts';
import type { Target } from '../target.ts';
import type { Workspace } from '../workspace.ts';
import { type Client, loginBy, runner } from './client.ts';
import { startCluster } from './cluster.ts';

/** The oldest release that speaks `oci://` without being asked to experiment, the newest 3, and 4. */
export const releases = ['helm-3.8', 'helm-3', 'helm-4'] as const;

export type Release = (typeof releases)[number];

export interface Helm extends Client {
  readonly release: Release;
  /** A command that talks to the OCI door. */
  oci(...args: string[]): Promise<string>;
  /** Installs a chart as release `shop`, short of doing it, and answers the manifests. */
  install(chart: string, ...flags: string[]): Promise<string>;
  /** Fetches what the Chart.yaml in a folder depends on into its `charts/`. */
  updateDependencies(folder: string): Promise<string>;
}

/** helm with settings, caches and plug-ins of its own. */
export async function makeHelm(workspace: Workspace, release: Release): Promise<Helm> {
  const home = await workspace.folder(release);
  const env = {
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
  };
  const helm = runner(release, [], { env, cwd: home });
  await installPush(join(env.HELM_DATA_HOME, 'plugins'), release);
  // 3.8 has no flag for it, and takes plain HTTP for granted on loopback.
  const plainHttp = release === 'helm-3.8' ? [] : ['--plain-http'];
  const dryRun = release === 'helm-3.8' ? '--dry-run' : '--dry-run=client';
  return {
    release,
    run: helm,
    login: loginBy(release, ['registry'], { env }, [release === 'helm-4' ? '--plain-http' : '--insecure']),
    oci: (...args) => helm(...args, ...plainHttp),
    async install(chart, ...flags) {
      await using cluster = await startCluster();
      const reach = ['--kube-apiserver', cluster.url, '--disable-openapi-validation'];
      const plain = chart.startsWith('oci://') ? plainHttp : [];
      return await helm('install', 'shop', chart, dryRun, ...reach, ...flags, ...plain);
    },
    updateDependencies: (folder) => helm('dependency', 'update', folder, ...plainHttp),
  };
}

/** `helm plugin install` without its download: the program is built, and its description is a file beside it. */
async function installPush(plugins: string, release: Release): Promise<void> {
  const program = whereIs('helm-cm-push');
  if (program === undefined) return;
  const folder = join(plugins, 'cm-push');
  await mkdir(join(folder, 'bin'), { recursive: true });
  await copyFile(program, join(folder, 'bin/helm-cm-push'));
  const description = release === 'helm-4' ? pluginOf4 : pluginOf3;
  await writeFile(join(folder, 'plugin.yaml'), JSON.stringify({ name: 'cm-push', version: '0.11.1', ...description }));
}

const pluginOf3 = {
  usage: 'push',
  description: 'Pushes a chart to a ChartMuseum',
  command: '$HELM_PLUGIN_DIR/bin/helm-cm-push',
};

const pluginOf4 = {
  apiVersion: 'v1',
  type: 'cli/v1',
  runtime: 'subprocess',
  config: { usage: 'cm-push', shortHelp: 'push', longHelp: 'Pushes a chart to a ChartMuseum' },
  runtimeConfig: { platformCommand: [{ command: '${HELM_PLUGIN_DIR}/bin/helm-cm-push' }] },
};

/** The flags by which helm is let into a classic repository. */
export function credentials(hub: Target): string[] {
  return ['--username', hub.user, '--password', hub.password];
}
