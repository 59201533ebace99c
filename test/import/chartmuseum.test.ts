import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { ConfigError } from '../../src/config/errors.ts';
import { importChartMuseum } from '../../src/import/chartmuseum.ts';
import { type ImportFlags, runImport } from '../../src/import/command.ts';
import { chart, type PackedChart, provenance } from '../helm/charts.ts';
import { classic } from '../helm/client.ts';
import { testHub } from '../harness/hub.ts';
import { type Repository, startRepository } from './repository.ts';

const hub = await testHub();
const { username: user, password } = hub.adminCredentials;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-import-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Result {
  readonly code: number;
  readonly lines: readonly string[];
}

async function runOn(from: string, namespace: string, source?: { user: string; password: string }): Promise<Result> {
  const lines: string[] = [];
  const code = await importChartMuseum({
    from,
    sourceCredentials: source,
    namespace,
    hub: new URL(hub.origin),
    credentials: { user, password },
    parallel: 4,
    say: (line) => lines.push(line),
  });
  return { code, lines };
}

async function put(path: string, bytes: Buffer | string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), bytes);
}

/** What the namespace lists, as file names. */
async function listed(namespace: string): Promise<string[]> {
  const answer = await classic(hub, namespace).get('/index.yaml');
  if (answer.status === 404) return [];
  const { entries } = answer.json<{ entries: Record<string, { urls: string[] }[]> }>();
  return Object.values(entries)
    .flat()
    .map(({ urls }) => urls[0] as string)
    .toSorted();
}

describe('the storage folder of a ChartMuseum', () => {
  it('is taken over with its tenants and provenance files, and the second time nothing is left to do', async () => {
    const namespace = `${await hub.project()}/charts`;
    const charts = await Promise.all(['1.0.0', '1.1.0+build.7', '2.0.0-rc.1'].map((version) => chart({ version })));
    for (const each of charts) await put(each.file, each.bytes);
    const signed = await chart({ name: 'signed', version: '0.1.0' });
    const prov = provenance(signed);
    await put(`team-a/stable/${signed.file}`, signed.bytes);
    await put(`team-a/stable/${signed.file}.prov`, prov);
    await put('index-cache.yaml', 'apiVersion: v1\n');
    await put('team-a/notes.txt', 'not a chart');

    expect(await runOn(folder, namespace)).toEqual({
      code: 0,
      lines: ['4 imported, 0 skipped as they were there, 0 failed'],
    });
    expect(await listed(namespace)).toEqual(charts.map(({ file }) => file).toSorted());
    const tenant = classic(hub, `${namespace}/team-a/stable`);
    expect((await tenant.get(`/${signed.file}`)).body).toEqual(signed.bytes);
    expect((await tenant.get(`/${signed.file}.prov`)).body).toEqual(prov);
    const manifest = await hub.admin.repo(`${namespace}/team-a/stable/signed`).getManifest('0.1.0');
    expect(manifest.json<{ layers: unknown[] }>().layers).toHaveLength(2);

    expect(await runOn(folder, namespace)).toEqual({
      code: 0,
      lines: ['0 imported, 4 skipped as they were there, 0 failed'],
    });
  });

  it('is taken over as far as it can be, and each of the rest is named with its reason', async () => {
    const namespace = `${await hub.project()}/charts`;
    const [good, taken, renamed] = [await chart(), await chart({ name: 'taken' }), await chart({ name: 'renamed' })];
    await classic(hub, namespace).upload((await chart({ name: 'taken', metadata: { home: 'other' } })).bytes);
    await put(good.file, good.bytes);
    await put(taken.file, taken.bytes);
    await put('some-other-name.tgz', renamed.bytes);
    await put('junk-1.0.0.tgz', 'this is no archive');
    await put(`${good.file}.prov`, provenance(renamed));
    await put('lost-1.0.0.tgz.prov', provenance(good));
    await put(`api/${good.file}`, good.bytes);
    await put(`Upper/${good.file}`, good.bytes);

    const { code, lines } = await runOn(folder, namespace);
    expect(code).toBe(1);
    expect(lines.toSorted()).toEqual([
      '1 imported, 0 skipped as they were there, 6 failed',
      expect.stringMatching(/^not imported {2}Upper\/web-1\.2\.3\.tgz: .*lower-case/),
      expect.stringMatching(/^not imported {2}api\/web-1\.2\.3\.tgz: .*api/),
      expect.stringMatching(/^not imported {2}junk-1\.0\.0\.tgz: .*gzip/),
      'not imported  lost-1.0.0.tgz.prov: the archive that it belongs to is missing',
      expect.stringMatching(/^not imported {2}taken-1\.2\.3\.tgz: .*already exists with other bytes \(409\)/),
      expect.stringMatching(/^not imported {2}web-1\.2\.3\.tgz: /),
    ]);
    expect(await listed(namespace)).toEqual(['renamed-1.2.3.tgz', 'taken-1.2.3.tgz']);
  });

  it('brings the provenance file of a chart that is there without one, and says when it is another one', async () => {
    const namespace = `${await hub.project()}/charts`;
    const packed = await chart();
    await put(packed.file, packed.bytes);
    await runOn(folder, namespace);
    await put(`${packed.file}.prov`, provenance(packed));
    expect((await runOn(folder, namespace)).lines).toEqual([
      '0 imported, 1 completed by a provenance file, 0 skipped as they were there, 0 failed',
    ]);
    expect((await runOn(folder, namespace)).lines).toEqual(['0 imported, 1 skipped as they were there, 0 failed']);
    await put(`${packed.file}.prov`, provenance(packed));
    expect(await runOn(folder, namespace)).toEqual({
      code: 1,
      lines: [
        `not imported  ${packed.file}: its provenance file differs from the one that is there`,
        '0 imported, 0 skipped as they were there, 1 failed',
      ],
    });
  });

  it('says so when a chart that was yanked does not show', async () => {
    const project = await hub.project();
    const packed = await chart();
    await put(packed.file, packed.bytes);
    await runOn(folder, `${project}/charts`);
    const yank = `/projects/${project}/charts/charts%2Fweb/versions/1.2.3/yank`;
    const yanked = await hub.api('PUT', yank, { reason: 'wrong' });
    expect(yanked.status).toBeLessThan(300);
    expect(await runOn(folder, `${project}/charts`)).toEqual({
      code: 0,
      lines: [
        `look at      ${project}/charts/${packed.file}: the hub has it, but does not list it (was it yanked?)`,
        '1 imported, 0 skipped as they were there, 0 failed',
      ],
    });
  });

  it('must exist, and hold charts', async () => {
    await expect(runOn(join(folder, 'none'), 'acme/charts')).rejects.toThrow(/is not a folder/);
    await expect(runOn(folder, 'acme/charts')).rejects.toThrow(/holds no charts/);
  });
});

describe('a chart repository', () => {
  /** What `helm repo index` writes, or the JSON that some servers send instead. */
  function index(entries: Record<string, object[]>): string {
    return stringify({ apiVersion: 'v1', entries, generated: '2026-01-02T03:04:05Z' });
  }
  const entry = ({ name, version, file, sha256 }: PackedChart, changes: object = {}) => ({
    name,
    version,
    urls: [`charts/${file}`],
    digest: sha256,
    ...changes,
  });

  it('is taken over from its index, and a second time nothing but that and provenance is fetched', async () => {
    await using repository = await startRepository();
    const namespace = `${await hub.project()}/charts`;
    const charts = [await chart({ version: '1.0.0+a' }), await chart({ name: 'signed', version: '2.0.0' })];
    const [plain, signed] = charts as [PackedChart, PackedChart];
    repository.files.set('/stable/index.yaml', index({ web: [entry(plain)], signed: [entry(signed)] }));
    for (const each of charts) repository.files.set(`/stable/charts/${each.file}`, each.bytes);
    repository.files.set(`/stable/charts/${signed.file}.prov`, provenance(signed));
    repository.busyOnce(`/stable/charts/${plain.file}`);

    const first = await runOn(`${repository.url}/stable/`, namespace);
    expect(first).toEqual({ code: 0, lines: ['2 imported, 0 skipped as they were there, 0 failed'] });
    expect((await classic(hub, namespace).get(`/${plain.file}`)).body).toEqual(plain.bytes);
    expect((await classic(hub, namespace).get(`/${signed.file}.prov`)).status).toBe(200);

    repository.requests.length = 0;
    const second = await runOn(`${repository.url}/stable/index.yaml`, namespace);
    expect(second.lines).toEqual(['0 imported, 2 skipped as they were there, 0 failed']);
    expect(repository.requests.map(({ path }) => path).filter((path) => path.endsWith('.tgz'))).toEqual([]);
  });

  it('is not believed: what came is compared with what was announced', async () => {
    await using repository = await startRepository();
    const namespace = `${await hub.project()}/charts`;
    const packed = await chart();
    const entries = {
      web: [entry(packed, { digest: 'f'.repeat(64) })],
      named: [entry(packed, { name: 'named' })],
      missing: [entry(packed, { urls: ['missing.tgz'] })],
      nowhere: [entry(packed, { urls: [] })],
      local: [entry(packed, { urls: ['file:///etc/passwd'] })],
      odd: ['not an entry'],
    };
    repository.files.set('/index.yaml', index(entries as never));
    repository.files.set(`/charts/${packed.file}`, packed.bytes);
    const { code, lines } = await runOn(repository.url, namespace);
    expect(code).toBe(1);
    expect(lines.toSorted()).toEqual([
      '0 imported, 0 skipped as they were there, 6 failed',
      expect.stringMatching(
        /charts\/web-1\.2\.3\.tgz: the index calls it named-1\.2\.3\.tgz, and in it is web-1\.2\.3/,
      ),
      expect.stringMatching(/charts\/web-1\.2\.3\.tgz: the index says sha256 f{64}, and what came has/),
      expect.stringMatching(/missing\.tgz: the index lists it, and it is not there/),
      'not imported  local 1.2.3: file: is not fetched',
      'not imported  nowhere 1.2.3: its entry in the index names no archive',
      'not imported  odd : its entry in the index names no archive',
    ]);
    expect(await listed(namespace)).toEqual([]);
  });

  it('is shown its password, and who keeps its archives is not', async () => {
    await using repository = await startRepository('source-secret');
    await using elsewhere = await startRepository();
    const namespace = `${await hub.project()}/charts`;
    const [here, there] = [await chart(), await chart({ name: 'there' })];
    const away = entry(there, { urls: [`${elsewhere.url}/${there.file}`] });
    repository.files.set('/index.yaml', JSON.stringify({ entries: { web: [entry(here)], there: [away] } }));
    repository.files.set(`/charts/${here.file}`, here.bytes);
    elsewhere.files.set(`/${there.file}`, there.bytes);

    await expect(runOn(repository.url, namespace)).rejects.toThrow(/wants other credentials \(401\)/);
    const source = { user: 'reader', password: 'source-secret' };
    expect((await runOn(repository.url, namespace, source)).lines[0]).toMatch(/^2 imported/);
    expect(elsewhere.requests.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
  });

  it.for([
    { what: 'no index', content: 404, reason: /answered 404/ },
    { what: 'a page', content: '<html>Sign in</html>', reason: /not the index of a chart repository/ },
    { what: 'no YAML', content: 'a: [', reason: /is not YAML/ },
    { what: 'many aliases', content: `a: &a [x]\nb: [${'*a,'.repeat(200)}]\n`, reason: /Excessive alias count/ },
    { what: 'nothing', content: 'apiVersion: v1\nentries: {}\n', reason: /holds no charts/ },
  ])('must have an index: $what is refused', async ({ content, reason }) => {
    await using repository = await startRepository();
    repository.files.set('/index.yaml', content);
    await expect(runOn(repository.url, 'acme/charts')).rejects.toThrow(reason);
  });

  it('goes on where it was killed', async () => {
    await using repository = await startRepository();
    const namespace = `${await hub.project()}/charts`;
    const versions = Array.from({ length: 40 }, (_, n) => `1.0.${n}`);
    const charts = await Promise.all(versions.map((version) => chart({ version })));
    for (const each of charts) repository.files.set(`/charts/${each.file}`, each.bytes);
    repository.files.set('/index.yaml', index({ web: charts.map((each) => entry(each)) }));

    const importing = startCommand(repository, namespace, '--parallel', '2');
    const ended = once(importing, 'exit');
    while ((await listed(namespace)).length < 10) expect(importing.exitCode).toBe(null);
    importing.kill('SIGKILL');
    await ended;
    const before = (await listed(namespace)).length;
    expect(before).toBeLessThan(40);

    const again = startCommand(repository, namespace);
    let said = '';
    again.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    expect((await once(again, 'close'))[0]).toBe(0);
    const [, imported, skipped] = /^(\d+) imported, (\d+) skipped as they were there, 0 failed\n$/.exec(said) ?? [];
    expect(Number(imported) + Number(skipped)).toBe(40);
    expect(Number(skipped)).toBeGreaterThanOrEqual(before);
    expect(await listed(namespace)).toEqual(charts.map(({ file }) => file).toSorted());
  });

  function startCommand({ url }: Repository, namespace: string, ...flags: string[]) {
    const berth = new URL('../../bin/berth.mjs', import.meta.url).pathname;
    const args = [berth, 'import', 'chartmuseum', url, namespace, '--hub', hub.origin, '--user', user, ...flags];
    const env = { ...process.env, BERTH_CLIENT_PASSWORD: password };
    return spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  }
});

describe('the command', () => {
  const said: string[] = [];
  const run = (from: string, namespace: string, flags: ImportFlags, env: Record<string, string>) =>
    runImport(from, namespace, flags, env, (line) => said.push(line));

  it('takes its secrets from variables and files, and stops at the first wrong password', async () => {
    await put('web-1.2.3.tgz', (await chart()).bytes);
    const flags = { hub: hub.origin, user: 'nobody-here' };
    const wrong = run(folder, 'acme/charts', flags, { BERTH_CLIENT_PASSWORD: 'wrong-secret' });
    await expect(wrong).rejects.toThrow(/does not accept the password of nobody-here$/);

    await writeFile(join(folder, 'secret'), `${password}\n`);
    const namespace = `${await hub.project()}/charts`;
    const env = {
      BERTH_CLIENT_HUB: hub.origin,
      BERTH_CLIENT_USER: user,
      BERTH_CLIENT_PASSWORD_FILE: join(folder, 'secret'),
    };
    expect(await run(folder, namespace, {}, env)).toBe(0);
    expect(await listed(namespace)).toEqual(['web-1.2.3.tgz']);
  });

  it('says everything that is wrong with its arguments at once', async () => {
    const flags = { hub: 'hub.example', parallel: '0', passwordFile: join(folder, 'none') };
    const problems = await run(folder, 'Acme/api', flags, {}).then(
      () => [],
      (error: unknown) => (error as ConfigError).problems,
    );
    expect(problems).toEqual([
      expect.stringMatching(/^The password cannot be read: ENOENT/),
      '--hub is not a URL: hub.example.',
      expect.stringMatching(/^Acme\/api cannot hold charts/),
      '--parallel is a number from 1 to 32.',
    ]);
    await expect(run(folder, 'acme/charts', {}, {})).rejects.toThrow(/BERTH_CLIENT_PASSWORD/);
    const inUrl = run('http://me:secret@127.0.0.1:1/', 'acme/charts', {}, { BERTH_CLIENT_PASSWORD: 'x' });
    await expect(inUrl).rejects.toThrow(/^A password in the URL is seen/);
  });
});
