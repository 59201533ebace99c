import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { expectStatus } from '../harness/oci-client.ts';
import { newFiles } from '../files/harness.ts';
import { ciCli } from './harness.ts';

const hub = await testHub();
const cli = await ciCli(hub);
const files = await newFiles(hub);
const { repository } = files;

const CONTENT: Readonly<Record<string, string>> = {
  'linux/cli': 'for linux\n',
  'mac/cli': 'for mac\n',
  'mac/again': 'for mac\n',
  empty: '',
  'naïve ü.txt': 'named\n',
  '100%/#?.txt': 'a name for URLs\n',
};
await cli.write(Object.fromEntries(Object.entries(CONTENT).map(([name, text]) => [`dist/${name}`, text])));
const digestOf = async (tag: string) =>
  expectStatus(await hub.admin.repo(repository).headManifest(tag), 200).header('Docker-Content-Digest');

describe('a folder', () => {
  it('becomes one manifest, the same that the same files make when they are put one by one', async () => {
    const pushed = await cli.run(['push', 'dist', `${repository}:1.0.0`, '-o', 'json']);
    expect(pushed).toMatchObject({ code: 0, stderr: '' });
    const said = JSON.parse(pushed.stdout) as { digest: string; outcome: string };
    expect(said).toMatchObject({ outcome: 'created', digest: await digestOf('1.0.0') });
    for (const [name, text] of Object.entries(CONTENT)) {
      expectStatus(await files.put('by-hand', name.split('/').map(encodeURIComponent).join('/'), text), 201);
    }
    expect(await digestOf('by-hand')).toBe(said.digest);
  });

  it('comes back as it was, and is not fetched again', async () => {
    const first = await cli.run(['pull', `${repository}:^1.0`, '--output', 'got', '-o', 'json']);
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ reference: `${repository}:1.0.0`, written: 6, unchanged: 0 });
    for (const [name, text] of Object.entries(CONTENT)) expect(await readFile(cli.at('got', name), 'utf8')).toBe(text);
    expect((await readdir(cli.at('got'), { recursive: true })).filter((name) => name.includes('berth-part'))).toEqual(
      [],
    );
    await writeFile(cli.at('got/mac/cli'), 'other');
    const again = await cli.run(['pull', `${repository}:1.0.0`, '--output', 'got', '-o', 'json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ written: 1, unchanged: 5 });
    expect(await readFile(cli.at('got/mac/cli'), 'utf8')).toBe('for mac\n');
  });

  it('may be said again, but replaces other files only when told to', async () => {
    const again = await cli.run(['push', 'dist', `${repository}:1.0.0`, '-o', 'json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'unchanged' });
    await cli.write({ 'other/cli': 'other\n' });
    const refused = await cli.run(['push', 'other', `${repository}:1.0.0`]);
    expect(refused).toMatchObject({ code: 5, stdout: '' });
    expect(refused.stderr).toContain('--replace');
    expect((await cli.run(['push', '--add', 'other', `${repository}:1.0.0`])).code).toBe(0);
    expectStatus(await files.get('1.0.0', 'cli'), 200);
    expectStatus(await files.get('1.0.0', 'linux/cli'), 200);
    expect((await cli.run(['push', '--replace', 'other', `${repository}:1.0.0`])).code).toBe(0);
    expectStatus(await files.get('1.0.0', 'linux/cli'), 404);
  });

  it('takes properties and may be final', async () => {
    const pushed = await cli.run(['push', 'dist', `${repository}:2.0.0`, '-p', 'commit=3f2a', '--final']);
    expect(pushed.code).toBe(0);
    const listing = await cli.run(['ls', `${repository}:2.0.0`, '-o', 'json']);
    expect(JSON.parse(listing.stdout)).toMatchObject({ final: true, properties: { commit: '3f2a' } });
    expect((await cli.run(['push', '--replace', 'other', `${repository}:2.0.0`])).code).toBe(5);
    expect((await cli.run(['push', 'dist', `${repository}:2.0.0`, '-p', 'commit=3f2a'])).code).toBe(0);
  });

  it('is refused when a link leads out of it, and follows those inside', async () => {
    await cli.write({ 'links/lib.so.1': 'lib', 'secret.txt': 'secret' });
    await symlink('lib.so.1', cli.at('links/lib.so'));
    expect((await cli.run(['push', 'links', `${repository}:links`])).code).toBe(0);
    expect((await files.get('links', 'lib.so')).body.toString()).toBe('lib');
    await symlink('../secret.txt', cli.at('links/out'));
    expect(await cli.run(['push', 'links', `${repository}:links2`])).toMatchObject({ code: 2 });
    expectStatus(await files.get('links2', 'out'), 404);
  });
});

describe('files', () => {
  it('go beside what is there, under their own name or another', async () => {
    const both = await Promise.all([
      cli.run(['push', 'dist/linux/cli', `${repository}:m/linux/`]),
      cli.run(['push', 'dist/mac/cli', `${repository}:m/mac/tool`]),
    ]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const names = await cli.run(['ls', '-r', `${repository}:m`, '-o', 'name']);
    expect(names.stdout).toBe(`${repository}:m/linux/cli\n${repository}:m/mac/tool\n`);
  });

  it('are not sent when their bytes are there', async () => {
    await cli.write({ 'large.bin': Buffer.alloc(3_000_000, 'x') });
    expect((await cli.run(['push', 'large.bin', `${repository}:3.0.0`])).code).toBe(0);
    const again = await cli.run(['push', 'large.bin', `${repository}:3.0.1`, '-o', 'json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ outcomes: { 'large.bin': 'created' } });
    const once = await cli.run(['push', 'large.bin', `${repository}:3.0.1`, '-o', 'json']);
    expect(JSON.parse(once.stdout)).toMatchObject({ outcomes: { 'large.bin': 'unchanged' } });
  });

  it('are pulled one by one, or by folder, where one says', async () => {
    await mkdir(cli.at('bin'));
    for (const [output, place] of [
      ['bin', 'bin/tool'],
      ['bin/', 'bin/tool'],
      ['bin/other', 'bin/other'],
    ] as const) {
      expect((await cli.run(['pull', `${repository}:m/mac/tool`, '--output', output])).code).toBe(0);
      expect(await readFile(cli.at(place), 'utf8')).toBe('for mac\n');
    }
    expect((await cli.run(['pull', `${hub.origin}/files/${repository}:m/mac/`, '--output', 'folder'])).code).toBe(0);
    expect(await readdir(cli.at('folder'))).toEqual(['tool']);
  });

  it('replace a link that stands in their place, and go through none', async () => {
    await cli.write({ 'outside/tool': 'mine', 'linked/x': '' });
    await symlink('../outside/tool', cli.at('linked/tool'));
    expect((await cli.run(['pull', `${repository}:m/mac/tool`, '--output', 'linked'])).code).toBe(0);
    expect((await lstat(cli.at('linked/tool'))).isFile()).toBe(true);
    expect(await readFile(cli.at('outside/tool'), 'utf8')).toBe('mine');
    await symlink('outside', cli.at('linked/mac'));
    const refused = await cli.run(['pull', `${repository}:m`, '--output', 'linked']);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('is no folder');
    expect(await readFile(cli.at('outside/tool'), 'utf8')).toBe('mine');
  });

  it('are shared, listed and removed', async () => {
    const link = await cli.run(['share', `${repository}:m/mac/tool`, '--for', '5m']);
    expect(await (await fetch(link.stdout.trim())).text()).toBe('for mac\n');
    const project = repository.split('/')[0] as string;
    const [one] = JSON.parse((await cli.run(['share', 'ls', project, '-o', 'json'])).stdout) as { id: string }[];
    expect((await cli.run(['share', 'rm', project, one?.id ?? ''])).code).toBe(0);
    expect((await fetch(link.stdout.trim())).status).toBe(404);
    expect((await cli.run(['rm', `${repository}:m/mac/tool`])).code).toBe(2);
    expect((await cli.run(['rm', '--dry-run', `${repository}:m/mac/tool`])).code).toBe(0);
    expect((await cli.run(['rm', '-y', `${repository}:m/mac/tool`, `${repository}:links`])).code).toBe(0);
    expectStatus(await files.get('m', 'mac/tool'), 404);
    expect((await cli.run(['ls', '-o', 'name'])).stdout).toContain(`${project}\n`);
    expect((await cli.run(['ls', project])).stdout).toBe(`${repository}\n`);
    expect((await cli.run(['ls', repository, '-o', 'name'])).stdout).not.toContain(':links\n');
  });
});
