import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { makeCli } from '../cli/harness.ts';
import { lacks } from './clients/client.ts';
import { startDocker } from './clients/docker.ts';
import { run, searchPath, whereIs } from './command.ts';
import { writeBuildContext } from './layers.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

/** The script of docs/releases.md, as it stands there. */
describe.skipIf(lacks('docker', 'dockerd', 'helm-3.8', 'git', 'curl'))('a release', async () => {
  const hub = inject('hub');
  const cli = await makeCli();
  let workspace: Workspace;
  let docker: Awaited<ReturnType<typeof startDocker>>;

  beforeAll(async () => {
    workspace = await makeWorkspace('release');
    docker = await startDocker(workspace);
  });
  afterAll(async () => {
    await docker?.[Symbol.asyncDispose]();
    await workspace?.[Symbol.asyncDispose]();
  });

  test('of binaries, image and chart is published by one token, and again', async () => {
    const page = await readFile('docs/releases.md', 'utf8');
    const script = /```sh\n(#!\/bin\/sh\n.*?)```/s.exec(page)?.[1] ?? '';
    const source = await writeBuildContext(join(workspace.path, 'source'), [1]);
    await writeFile(join(source, 'release.sh'), script);
    await mkdir(join(source, 'dist/linux'), { recursive: true });
    await writeFile(join(source, 'dist/linux/shop'), 'a program\n');
    const tools = await workspace.folder('tools');
    // This release takes plain HTTP on loopback, so that the script need not be told.
    await symlink(whereIs('helm-3.8') as string, join(tools, 'helm'));
    await mkdir(join(source, 'charts'));
    await run(join(tools, 'helm'), ['create', 'shop'], { cwd: join(source, 'charts') });
    for (const args of [
      ['init', '--quiet'],
      ['-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '--quiet', '--allow-empty', '-m', 'x'],
    ]) {
      await run('git', args, { cwd: source });
    }
    const basic = Buffer.from(`${hub.user}:${hub.password}`).toString('base64');
    const made = await fetch(`${hub.url}/api/v1/me/tokens`, {
      method: 'POST',
      headers: { Authorization: `Basic ${basic}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'release', actions: ['pull', 'push'], paths: ['acme/shop/**'] }),
    });
    const { token } = (await made.json()) as { token: string };
    const env = {
      PATH: `${tools}:${searchPath}`,
      HOME: cli.home,
      DOCKER_HOST: `unix://${join(workspace.path, 'docker/docker.sock')}`,
      DOCKER_CONFIG: await workspace.folder('config'),
      XDG_CONFIG_HOME: cli.at('config'),
      BERTH_HUB: hub.url,
      BERTH_TOKEN: token,
    };
    await chmod(join(source, 'release.sh'), 0o755);
    for (const time of ['first', 'second']) {
      const said = await run('sh', ['release.sh', '1.2.3'], { cwd: source, env });
      expect(said.stdout, time).toContain('pushed 1 file');
    }
    const shown = await cli.run(['ls', '-o', 'json', 'acme/shop/cli:1.2.3'], { env });
    expect(JSON.parse(shown.stdout)).toMatchObject({
      final: true,
      properties: { commit: expect.stringMatching(/^\w{40}$/) },
    });
    for (const repository of ['acme/shop/api', 'acme/shop/charts/shop']) {
      expect((await cli.run(['ls', '-o', 'name', repository], { env })).stdout).toBe(`${repository}:1.2.3\n`);
    }
  });
});
