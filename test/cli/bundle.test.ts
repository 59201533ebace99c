/** What is installed into other people's machines: built from the sources, alone, and served by every hub. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { buildCli } from '../../scripts/build-cli.ts';
import { VERSION } from '../../src/version.ts';
import { testHub } from '../harness/hub.ts';
import { makeCli } from './harness.ts';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFile(new URL(path, ROOT), 'utf8');

describe('the bundle', () => {
  it('is what the sources say; npm run build:cli writes it', async () => {
    const built = await buildCli();
    expect(built.size).toBe(2);
    for (const [file, text] of built) expect((await read(`cli/dist/${file}`)) === text, file).toBe(true);
  });

  it('has the version of the hub, and runs', async () => {
    expect(JSON.parse(await read('cli/package.json'))).toMatchObject({ version: VERSION });
    const cli = await makeCli();
    expect(await cli.run(['--version'])).toMatchObject({ code: 0, stdout: `${VERSION}\n` });
  });

  it('stands alone: its sources import nothing of the server, and the server nothing of them', async () => {
    const importsOf = async (folder: string) => {
      const files = (await readdir(new URL(folder, ROOT), { recursive: true })).filter((file) => file.endsWith('.ts'));
      const texts = await Promise.all(files.map(async (file) => [file, await read(`${folder}${file}`)] as const));
      return texts.flatMap(([file, text]) =>
        [...text.matchAll(/^(?:import|export) [^;]*?from '([^']+)'/gm)].map(([, name = '']) => ({
          from: new URL(`${folder}${file}`, ROOT),
          name,
        })),
      );
    };
    const imports = await importsOf('cli/src/');
    expect(imports.length).toBeGreaterThan(50);
    const strange = imports.filter(({ from, name }) =>
      name.startsWith('.')
        ? !new URL(name, from).href.startsWith(new URL('cli/src/', ROOT).href)
        : !name.startsWith('node:') && !['commander', 'cli-progress'].includes(name),
    );
    expect(strange).toEqual([]);
    const upward = (await importsOf('src/')).filter(({ from, name }) =>
      new URL(name, from).href.startsWith(new URL('cli/', ROOT).href),
    );
    expect(upward).toEqual([]);
  });
});

describe('/cli', async () => {
  const hub = await testHub();
  const get = (path: string, init?: RequestInit) => fetch(`${hub.origin}/cli/${path}`, init);

  it('serves the programs to anyone, with their checksums', async () => {
    const sums = await (await get('SHA256SUMS')).text();
    for (const name of ['berth.mjs', 'docker-credential-berth.mjs']) {
      const answer = await get(name);
      const body = Buffer.from(await answer.arrayBuffer());
      expect(body.equals(await readFile(new URL(`cli/dist/${name}`, ROOT)))).toBe(true);
      expect(sums).toContain(`${createHash('sha256').update(body).digest('hex')}  ${name}\n`);
      expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
      const etag = answer.headers.get('etag') ?? '';
      expect((await get(name, { headers: { 'If-None-Match': etag } })).status).toBe(304);
    }
    expect((await get('berth.mjs', { method: 'HEAD' })).status).toBe(200);
  });

  it('says how to install them, with the configured address whatever the Host header says', async () => {
    const text = await (await get('', { headers: { Host: 'evil.example' } })).text();
    expect(text).toContain(`curl -fsSLO ${hub.origin}/cli/berth.mjs\n`);
    expect(text).not.toContain('evil');
  });

  it('has nothing else', async () => {
    for (const path of ['package.json', '..%2fpackage.json', 'dist/berth.mjs'])
      expect((await get(path)).status).toBe(404);
  });
});
