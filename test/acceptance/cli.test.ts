import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { makeCli, type Cli } from '../cli/harness.ts';
import { makeLine, tooSoon } from '../cli/line.ts';
import { lacks } from './clients/client.ts';
import { startDocker } from './clients/docker.ts';
import { run, searchPath } from './command.ts';
import { writeBuildContext, writeRandomFile } from './layers.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

const MIB = 1024 * 1024;
/** MiB of the upload that is cut. CI has 2,048 on disk. */
const RESUMED = Number(process.env.BERTH_TEST_RESUME_MIB ?? 300);
const hub = inject('hub');

async function ok(cli: Cli, args: readonly string[], input = ''): Promise<string> {
  const ended = await cli.run(args, { input });
  if (ended.code !== 0) throw new Error(`berth ${args.join(' ')} ended with ${ended.code}:\n${ended.stderr}`);
  return ended.stdout;
}

const signIn = (cli: Cli, url = hub.url) =>
  ok(cli, ['login', url, '--username', hub.user, '--password-stdin'], hub.password);

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

describe('berth', async () => {
  const cli = await makeCli();

  test('pushes a folder of 1,000 files as one version, and pulls the same', async () => {
    await signIn(cli);
    const written: Record<string, string> = {};
    for (let i = 0; i < 1_000; i++) written[`dist/${i % 10}/${i % 7}/file-${i}.txt`] = `This is file ${i}\n`.repeat(i);
    await cli.write(written);
    const pushed = JSON.parse(await ok(cli, ['push', 'dist', 'command/tools/app:1.0.0', '-o', 'json'])) as object;
    expect(pushed).toMatchObject({ outcome: 'created' });
    await ok(cli, ['pull', 'command/tools/app:latest', '--output', 'got']);
    expect((await run('diff', ['--recursive', cli.at('dist'), cli.at('got')])).stdout).toBe('');
    expect(await ok(cli, ['ls', 'command/tools/app'])).toMatch(/^1\.0\.0 +file/);
  });

  test(
    `goes on with an upload of ${RESUMED} MiB after kill -9, and gets it back after a cut`,
    { timeout: 900_000 },
    async () => {
      const line = await makeLine(hub.url);
      await signIn(cli, line.origin);
      await writeRandomFile(cli.at('big.bin'), RESUMED);
      for (const args of [
        ['push', 'big.bin', 'command/tools/big:1'],
        ['push', 'folder', 'command/tools/big:2'],
      ]) {
        const held = line.holdAfter(RESUMED * MIB * 0.6);
        let child: ChildProcess | undefined;
        const killed = cli.run(args, { started: (started) => (child = started) });
        await Promise.race([held, tooSoon(killed)]);
        child?.kill('SIGKILL');
        await killed;
        line.drop();
        const before = line.sent();
        const resumed = await cli.run(args);
        expect(resumed).toMatchObject({ code: 0 });
        expect(resumed.stderr).toContain('going on at');
        expect(line.sent() - before).toBeLessThan(RESUMED * MIB * 0.8);
        // Another content: the second push must not find the bytes of the first.
        await mkdir(cli.at('folder'), { recursive: true });
        if (args[1] === 'big.bin') await writeRandomFile(cli.at('folder/big.bin'), RESUMED);
      }
      line.cutAfter(RESUMED * MIB * 0.6, 'down');
      const pulled = await cli.run(['pull', 'command/tools/big:1', '--output', 'back']);
      expect(pulled.code).toBe(0);
      expect(pulled.stderr).toContain('The connection was cut');
      expect(await sha256(cli.at('back/big.bin'))).toBe(await sha256(cli.at('big.bin')));
      await rm(cli.at('back'), { recursive: true });
    },
  );

  test('is installed by the lines that the hub says, and by npm', async () => {
    const how = await (await fetch(`${hub.url}/cli/`)).text();
    const lines = how.split('\n').filter((text) => /^ {2}(?:curl|install) .*[^-](?:berth\.mjs|bin\/berth)$/.test(text));
    expect(lines).toHaveLength(2);
    await run('sh', ['-euc', lines.join('\n')], { cwd: cli.home, env: { HOME: cli.home } });
    const sums = await (await fetch(`${hub.url}/cli/SHA256SUMS`)).text();
    expect(sums).toContain(await sha256(cli.at('.local/bin/berth')));
    expect((await run(cli.at('.local/bin/berth'), ['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);

    const packed = await run('npm', ['pack', '--silent', '--pack-destination', cli.home, './cli']);
    await run('npm', [
      'install',
      '--silent',
      '--offline',
      '--global',
      '--prefix',
      cli.at('npm'),
      cli.at(packed.stdout.trim()),
    ]);
    expect((await run(cli.at('npm/bin/berth'), ['completion', 'bash'])).stdout).toContain('complete ');
  });

  test('draws bars where somebody looks, and keeps them away from the result', async () => {
    await signIn(cli);
    await writeRandomFile(cli.at('seen.bin'), 20);
    const dist = join(process.cwd(), 'cli/dist/berth.mjs');
    const command = `node ${dist} push seen.bin command/tools/seen:1 -o name > said`;
    const env = { HOME: cli.home, XDG_CONFIG_HOME: cli.at('config') };
    const seen = await run('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
      cwd: cli.home,
      env,
    });
    expect(seen.stdout).toMatch(/\d+% .* of 21\.0 MB +pushing [01] of 1 file/);
    expect(await readFile(cli.at('said'), 'utf8')).toBe('command/tools/seen:1\n');
  });
});

describe.skipIf(lacks('bash', 'zsh', 'fish'))('completion', async () => {
  const cli = await makeCli();
  test.each(['bash', 'zsh', 'fish'])('is a script that %s reads', async (shell) => {
    await writeFile(cli.at('script'), await ok(cli, ['completion', shell]));
    await run(shell, ['-n', cli.at('script')]);
  });
});

describe.skipIf(lacks('docker', 'dockerd'))('docker with docker-credential-berth', async () => {
  const cli = await makeCli();
  let workspace: Workspace;
  let docker: Awaited<ReturnType<typeof startDocker>>;

  beforeAll(async () => {
    workspace = await makeWorkspace('cli');
    await copyFile('cli/dist/docker-credential-berth.mjs', cli.at('docker-credential-berth'));
    await chmod(cli.at('docker-credential-berth'), 0o755);
    const config = join(await workspace.folder('docker/config'), 'config.json');
    await writeFile(config, JSON.stringify({ credHelpers: { [hub.host]: 'berth' } }));
    docker = await startDocker(workspace, { PATH: `${cli.home}:${searchPath}`, XDG_CONFIG_HOME: cli.at('config') });
  });
  afterAll(async () => {
    await docker?.[Symbol.asyncDispose]();
    await workspace?.[Symbol.asyncDispose]();
  });

  test('pushes after berth login, and berth works after docker login', async () => {
    const image = `${hub.host}/command/image:1`;
    await docker.run('build', '--tag', image, await writeBuildContext(`${workspace.path}/context`, [1]));
    await expect(docker.run('push', image)).rejects.toThrow(/unauthorized|denied|no basic auth|authentication/i);
    await signIn(cli);
    await docker.run('push', image);
    await ok(cli, ['logout']);
    await docker.login(hub);
    expect(await ok(cli, ['--hub', hub.url, 'whoami', '-o', 'name'])).toBe(`${hub.user}\n`);
    await docker.run('pull', image);
    await docker.run('logout', hub.host);
    expect((await cli.run(['--hub', hub.url, 'whoami'])).code).toBe(4);
  });
});
