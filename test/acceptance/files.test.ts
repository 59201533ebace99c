import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { lacks } from './clients/client.ts';
import { makeFileCurl, type FileCurl } from './clients/curl.ts';
import { makeOras, type Oras } from './clients/oras.ts';
import { run } from './command.ts';
import { writeRandomFile } from './layers.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

/** MiB of the upload that is cut. CI has 2,048 on disk. */
const RESUMED = Number(process.env.BERTH_TEST_RESUME_MIB ?? 300);

describe.skipIf(lacks('curl', 'oras'))('files', () => {
  const hub = inject('hub');
  let workspace: Workspace;
  let source: string;
  let curl: FileCurl;
  let oras: Oras;

  beforeAll(async () => {
    workspace = await makeWorkspace('files');
    source = await workspace.folder('source');
    curl = makeFileCurl(hub, source);
    oras = await makeOras(workspace);
    await oras.login(hub);
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  const at = (rest: string) => `${hub.url}/files/acceptance/tools/${rest}`;

  test('go up by curl and come down by curl and oras', async () => {
    await writeRandomFile(join(source, 'app.tgz'), 20);
    await writeFile(join(source, 'notes.md'), 'notes\n');
    await curl.run('-T', 'app.tgz', at('cli:1.2.3/linux/'));
    await curl.run('-F', 'file=@notes.md', '-F', 'file=@app.tgz;filename=darwin/app.tgz', at('cli:1.2.3/'));

    const target = await workspace.folder('down');
    const down = makeFileCurl(hub, target);
    await down.run('--remote-name', at('cli:latest/linux/app.tgz'));
    await down.run('--remote-name', at('cli:^1.2/SHA256SUMS'));
    expect(await sha256(join(target, 'app.tgz'))).toBe(await sha256(join(source, 'app.tgz')));

    const pulled = await workspace.folder('pulled');
    await oras.run('pull', '--plain-http', '--output', pulled, `${hub.host}/acceptance/tools/cli:1.2.3`);
    await writeFile(join(pulled, 'SHA256SUMS'), await readFile(join(target, 'SHA256SUMS')));
    const checked = await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: pulled });
    expect(checked.stdout.trim().split('\n')).toHaveLength(3);
  });

  test('pushed by oras are read by curl', async () => {
    const folder = await workspace.folder('pushed');
    await mkdir(join(folder, 'dir'));
    await writeFile(join(folder, 'dir/inside.txt'), 'inside\n');
    await writeFile(join(folder, 'plain.txt'), 'plain\n');
    await oras.push(`${hub.host}/acceptance/tools/notes:1`, folder, ['plain.txt', 'dir']);
    expect(await curl.run(at('notes:1/plain.txt'))).toBe('plain');
    const packed = await workspace.folder('packed');
    await makeFileCurl(hub, packed).run('--remote-name', at('notes:1/dir.tar.gz'));
    const listed = await run('tar', ['--list', '--gzip', '--file', 'dir.tar.gz'], { cwd: packed });
    expect(listed.stdout).toContain('dir/inside.txt');
  });

  test('as one archive are what tar and unzip read', async () => {
    await writeFile(join(source, 'a.txt'), 'A\n');
    await curl.run('-T', 'a.txt', at('packed:1/deep/er/'));
    await curl.run('-T', 'a.txt', at('packed:1/'));
    const target = await workspace.folder('archives');
    await makeFileCurl(hub, target).run('--remote-name', '--remote-header-name', at('packed:1/?archive=tar'));
    await makeFileCurl(hub, target).run('--remote-name', '--remote-header-name', at('packed:1/?archive=zip'));
    const tar = await run('tar', ['--list', '--file', 'packed-1.tar'], { cwd: target });
    expect(tar.stdout.trim().split('\n')).toEqual(['a.txt', 'deep/er/a.txt']);
    const zip = await run('python3', ['-m', 'zipfile', '--test', 'packed-1.zip'], { cwd: target });
    expect(zip.stdout).toMatch(/Done testing/);
  });

  test(`an upload of ${RESUMED} MiB that was cut goes on, and so does a download`, async () => {
    await writeRandomFile(join(source, 'big.bin'), RESUMED);
    const url = at('big:1/big.bin');
    await curl.cut(2, '--limit-rate', `${Math.ceil(RESUMED / 6)}M`, '-T', 'big.bin', url);
    const offset = await uploadOffset(url);
    expect(offset).toBeGreaterThan(1024 * 1024);
    expect(offset).toBeLessThan(RESUMED * 1024 * 1024);
    await expect(curl.run('--continue-at', String(offset + 1), '-T', 'big.bin', url)).rejects.toThrow(/416/);
    const sum = await sha256(join(source, 'big.bin'));
    const said = await curl.run(
      '--continue-at',
      String(offset),
      '-T',
      'big.bin',
      '-H',
      `X-Checksum-Sha256: ${sum}`,
      url,
    );
    expect(said).toContain(`sha256:${sum}`);

    const target = await workspace.folder('resumed');
    const down = makeFileCurl(hub, target);
    await down.cut(1, '--limit-rate', `${Math.ceil(RESUMED / 6)}M`, '--remote-name', url);
    expect((await stat(join(target, 'big.bin'))).size).toBeLessThan(RESUMED * 1024 * 1024);
    await down.run('--continue-at', '-', '--remote-name', url);
    expect(await sha256(join(target, 'big.bin'))).toBe(sum);
  });

  async function uploadOffset(url: string): Promise<number> {
    const headers = await curl.run('--head', `${url}?partial`);
    return Number(/^upload-offset: (\d+)/im.exec(headers)?.[1]);
  }

  test('are fetched once with ETags, in parts, and only when they changed', async () => {
    await writeFile(join(source, 'config.json'), '{"a":1}');
    await curl.run('-T', 'config.json', at('etags:1/'));
    const url = at('etags:1/config.json');
    const target = await workspace.folder('etags');
    const down = makeFileCurl(hub, target);
    await down.run('--etag-save', 'etag', '--output', 'first', url);
    const code = ['--write-out', '%{http_code}', '--output', 'second'];
    expect(await down.run('--etag-compare', 'etag', ...code, url)).toBe('304');
    expect(await down.run('--range', '1-3', '--write-out', ' %{http_code}', url)).toBe('"a" 206');
    await expect(curl.run('-T', 'config.json', '-H', 'If-None-Match: *', url)).rejects.toThrow(/412/);
  });

  test('of a thousand names are one version', async () => {
    const many = await workspace.folder('many');
    const config: string[] = [];
    for (let i = 0; i < 1_000; i++) {
      const path = `d${i % 10}/f${i}.txt`;
      await mkdir(dirname(join(many, path)), { recursive: true });
      await writeFile(join(many, path), `${i}\n`);
      config.push(`upload-file = "${path}"`, `url = "${at(`many:1/${path}`)}"`);
    }
    await writeFile(join(many, 'curl.conf'), config.join('\n'));
    await makeFileCurl(hub, many).run('--parallel', '--parallel-max', '16', '--config', 'curl.conf');
    await curl.run('--request', 'POST', at('many:1/?finalise'));
    const pulled = await workspace.folder('many-pulled');
    await oras.run('pull', '--plain-http', '--output', pulled, `${hub.host}/acceptance/tools/many:1`);
    await run('diff', ['--recursive', '--exclude=curl.conf', many, pulled]);
  });
});

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
