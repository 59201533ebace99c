import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { makeSigner, packageChart } from './charts.ts';
import { lacks } from './clients/client.ts';
import { type Cosign, makeCosign } from './clients/cosign.ts';
import { makeCurl } from './clients/curl.ts';
import { credentials, type Helm, makeHelm } from './clients/helm.ts';
import { type Manifest, read, referrers } from './registry.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

const configType = 'application/vnd.cncf.helm.config.v1+json';
const archiveType = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

/** What follows charts from outside: Flux and Renovate as the requests that they make, and cosign itself. */
describe.skipIf(lacks('helm-4', 'curl', 'cosign', 'gpg'))('who follows a chart', () => {
  const hub = inject('hub');
  const namespace = 'helm-followers/stable';
  const sources = ['https://git.example/acme/web-chart'];
  let workspace: Workspace;
  let helm: Helm;
  let cosign: Cosign;

  beforeAll(async () => {
    workspace = await makeWorkspace('helm-followers');
    [helm, cosign] = await Promise.all([makeHelm(workspace, 'helm-4'), makeCosign(workspace, hub)]);
    await helm.login(hub);
    for (const version of ['1.2.3', '1.3.0+build.5', '1.10.1', '2.0.0-rc.1', '2.0.0']) {
      const archive = await packageChart(helm, workspace.path, { name: 'web', version, more: { sources } });
      if (version.startsWith('1')) await helm.oci('push', archive, `oci://${hub.host}/${namespace}`);
      else await makeCurl(hub)(`/charts/${namespace}/api/charts`, '--data-binary', `@${archive}`);
    }
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  const basic = `Basic ${Buffer.from(`${hub.user}:${hub.password}`).toString('base64')}`;

  /** Asks as a registry's client does: without credentials, then with the token that the challenge leads to. */
  async function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
    const first = await fetch(`${hub.url}${path}`, { method, headers });
    expect(first.status).toBe(401);
    const challenge = first.headers.get('www-authenticate') ?? '';
    const parameter = (name: string) => new RegExp(`${name}="([^"]+)"`).exec(challenge)?.[1];
    const realm = new URL(parameter('realm') ?? '');
    realm.searchParams.append('scope', parameter('scope') ?? `repository:${namespace}/web:pull`);
    realm.searchParams.append('service', parameter('service') ?? '');
    const answer = await fetch(realm, { headers: { authorization: basic } });
    const { token } = (await answer.json()) as { token: string };
    return fetch(`${hub.url}${path}`, { method, headers: { ...headers, authorization: `Bearer ${token}` } });
  }

  test('Flux, with a HelmRepository: the whole index, then the file that it names, from the same host', async () => {
    const agent = { 'user-agent': 'Helm/4.1.0', authorization: basic };
    const index = await fetch(`${hub.url}/charts/${namespace}/index.yaml`, {
      headers: { ...agent, 'accept-encoding': 'gzip' },
    });
    const text = await index.text();
    // Where the index is JSON, Flux reads it as such; its strict reading of YAML has no say.
    const { apiVersion, entries } = JSON.parse(text) as {
      apiVersion: string;
      entries: Record<string, { version: string; urls: string[]; digest: string; created: string }[]>;
    };
    expect(apiVersion).toBe('v1');
    expect(entries['web']?.map(({ version }) => version)).toEqual([
      ...['2.0.0', '2.0.0-rc.1', '1.10.1', '1.3.0+build.5', '1.2.3'],
    ]);
    for (const { urls, digest, created } of entries['web'] ?? []) {
      expect(new Date(created).getTime()).toBeGreaterThan(0);
      const url = new URL(urls[0] ?? '', `${hub.url}/charts/${namespace}/`);
      expect(url.host).toBe(hub.host);
      const archive = Buffer.from(await (await fetch(url, { headers: agent })).arrayBuffer());
      expect(Buffer.from(await crypto.subtle.digest('SHA-256', archive)).toString('hex')).toBe(digest);
    }
    // It asks again every few minutes; nothing has to travel when nothing has changed.
    const etag = index.headers.get('etag') ?? '';
    const again = await fetch(`${hub.url}/charts/${namespace}/index.yaml`, {
      headers: { ...agent, 'accept-encoding': 'gzip', 'if-none-match': etag },
    });
    expect(again.status).toBe(304);
  });

  test('Flux, with a HelmRepository of type oci: the tags, then the manifest of the best one and its archive', async () => {
    const answer = await ask(`/v2/${namespace}/web/tags/list`);
    const { tags } = (await answer.json()) as { tags: string[] };
    expect(tags.toSorted()).toEqual(['1.10.1', '1.2.3', '1.3.0_build.5', '2.0.0', '2.0.0-rc.1']);
    const manifest = await ask(`/v2/${namespace}/web/manifests/1.10.1`, {
      accept: 'application/vnd.oci.image.manifest.v1+json',
    });
    const { config, layers } = (await manifest.json()) as Manifest;
    expect(config?.mediaType).toBe(configType);
    const layer = layers?.find(({ mediaType }) => mediaType === archiveType);
    const archive = await ask(`/v2/${namespace}/web/blobs/${layer?.digest}`);
    expect((await archive.arrayBuffer()).byteLength).toBe(layer?.size);
  });

  test('Flux, with an OCIRepository: a semver range over pages of tags, a digest by HEAD, the layer by its type', async () => {
    const found: string[] = [];
    for (let path: string | undefined = `/v2/${namespace}/web/tags/list?n=2`; path !== undefined;) {
      const page = await ask(path);
      found.push(...((await page.json()) as { tags: string[] }).tags);
      const next = /^<([^>]+)>; ?rel="?next"?/.exec(page.headers.get('link') ?? '')?.[1];
      path = next && new URL(next, `${hub.url}${path}`).href.slice(hub.url.length);
    }
    expect(found.filter((tag) => /^1\.\d+\.\d+$/.test(tag)).toSorted()).toEqual(['1.10.1', '1.2.3']);
    const accept = [
      'application/vnd.docker.distribution.manifest.v1+json',
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      'application/vnd.docker.distribution.manifest.v2+json',
      'application/vnd.oci.image.manifest.v1+json',
      'application/vnd.docker.distribution.manifest.list.v2+json',
      'application/vnd.oci.image.index.v1+json',
    ].join(',');
    const head = await ask(`/v2/${namespace}/web/manifests/1.10.1`, { accept }, 'HEAD');
    const digest = head.headers.get('docker-content-digest') ?? '';
    const { layers } = await read<Manifest>(hub, `${namespace}/web`, `manifests/${digest}`);
    expect(layers?.map(({ mediaType }) => mediaType)).toEqual([archiveType]);
  });

  test('Renovate, by its helm datasource: releases with time and digest, and where the sources are', async () => {
    const answer = await fetch(`${hub.url}/charts/${namespace}/index.yaml`, {
      headers: { 'user-agent': 'RenovateBot/43.0.0', authorization: basic, 'accept-encoding': 'gzip, deflate, br' },
    });
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    const { entries } = (await answer.json()) as { entries: Record<string, Record<string, unknown>[]> };
    expect(entries['web']?.[0]).toMatchObject({
      version: '2.0.0',
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      sources,
    });
  });

  test('Renovate, by its docker datasource: tags, the digest of one, and the sources from the config', async () => {
    const headers = { 'user-agent': 'RenovateBot/43.0.0', accept: 'application/json' };
    const list = await ask(`/v2/${namespace}/web/tags/list?n=10000`, headers);
    expect(((await list.json()) as { tags: string[] }).tags).toHaveLength(5);
    expect(list.headers.get('link')).toBeNull();
    const accept = [
      'application/vnd.docker.distribution.manifest.list.v2+json',
      'application/vnd.docker.distribution.manifest.v2+json',
      'application/vnd.oci.image.manifest.v1+json',
      'application/vnd.oci.image.index.v1+json',
    ].join(', ');
    const path = `/v2/${namespace}/web/manifests/2.0.0`;
    const digest = (await ask(path, { ...headers, accept }, 'HEAD')).headers.get('docker-content-digest');
    const manifest = await ask(path, { ...headers, accept });
    expect(manifest.headers.get('docker-content-digest')).toBe(digest);
    const { config, ...about } = (await manifest.json()) as Manifest & { annotations: Record<string, string> };
    expect(about.annotations['org.opencontainers.image.source']).toBe(sources[0]);
    expect(config?.mediaType).toBe(configType);
    const said = await ask(`/v2/${namespace}/web/blobs/${config?.digest}`, headers);
    expect(await said.json()).toMatchObject({ name: 'web', version: '2.0.0', sources });
  });

  test('cosign signs a chart that came by curl, and the signature follows it without showing in the index', async () => {
    const reference = `${hub.host}/${namespace}/web`;
    const { digest } = await resolve('2.0.0');
    await cosign.sign(`${reference}@${digest}`);
    expect(await cosign.verify(`${reference}:2.0.0`)).toContain(digest);
    expect(await referrers(hub, `${namespace}/web`, digest)).toHaveLength(1);
    // The older form is a tag beside the versions, which is no version.
    await cosign.sign(`${reference}@${digest}`, '--new-bundle-format=false');
    expect(await cosign.verify(`${reference}@${digest}`, '--new-bundle-format=false')).toContain(digest);
    await helm.run('repo', 'add', 'hub', `${hub.url}/charts/${namespace}`, ...credentials(hub));
    const listed = await helm.run('search', 'repo', 'hub/', '--versions', '--devel', '--output', 'json');
    expect(JSON.parse(listed)).toHaveLength(5);
    expect(await helm.oci('show', 'chart', `oci://${reference}`)).toContain('version: 2.0.0');
  });

  test('a version that is signed by its digest keeps it: other bytes and a late provenance file are refused', async () => {
    const signer = await makeSigner(workspace);
    const archive = await packageChart(helm, workspace.path, { name: 'web', version: '3.0.0' }, signer);
    const upload = (path: string, file: string) =>
      makeCurl(hub)(`/charts/${namespace}/api/${path}`, '--data-binary', `@${file}`);
    await upload('charts', archive);
    const { digest } = await resolve('3.0.0');
    await cosign.sign(`${hub.host}/${namespace}/web@${digest}`);

    await expect(upload('prov', `${archive}.prov`)).rejects.toThrow(/signed as sha256/);
    const changed = { name: 'web', version: '3.0.0', more: { home: 'https://other.example' } };
    const other = await packageChart(helm, await workspace.folder('other'), changed);
    await expect(upload('charts', other)).rejects.toThrow(/already exists/);
    expect(await resolve('3.0.0')).toEqual({ digest });
  });

  async function resolve(tag: string): Promise<{ digest: string }> {
    const answer = await fetch(`${hub.url}/v2/${namespace}/web/manifests/${tag}`, {
      method: 'HEAD',
      headers: { authorization: basic, accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    return { digest: answer.headers.get('docker-content-digest') ?? '' };
  }
});
