import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type BuildKit, startBuildKit } from './clients/buildkit.ts';
import { lacks, rootRights } from './clients/client.ts';
import { writeBuildContext } from './layers.ts';
import { type Manifest, read, referrers } from './registry.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

describe.skipIf(lacks('buildkitd', 'buildctl', 'runc', rootRights))('buildkit', () => {
  const hub = inject('hub');
  let workspace: Workspace;
  let buildkit: BuildKit;

  beforeAll(async () => {
    workspace = await makeWorkspace('buildkit');
    buildkit = await startBuildKit(workspace, hub);
  });
  afterAll(async () => {
    await buildkit?.[Symbol.asyncDispose]();
    await workspace?.[Symbol.asyncDispose]();
  });

  const pushAs = (repository: string, tag: string) => [
    '--output',
    `type=image,name=${hub.host}/${repository}:${tag},push=true`,
  ];

  test('pushes an image of 300 MB with its provenance, which refers to it', async () => {
    const repository = 'buildkit/team/app';
    const context = await writeBuildContext(`${workspace.path}/large`, [120, 100, 80, 1]);
    await buildkit.build(context, '--opt=attest:provenance=mode=max', ...pushAs(repository, '1'));

    const index = await read<Manifest>(hub, repository, 'manifests/1');
    const [image, attestation] = index.manifests ?? [];
    expect(attestation?.annotations).toEqual({
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': image?.digest,
    });
    const { layers } = await read<Manifest>(hub, repository, `manifests/${attestation?.digest}`);
    const statement = await read<Record<string, unknown>>(hub, repository, `blobs/${layers?.[0]?.digest}`);
    expect(statement).toMatchObject({ predicateType: expect.stringContaining('slsa.dev/provenance') });
    expect(await referrers(hub, repository, image?.digest ?? '')).toMatchObject([
      { digest: attestation?.digest, artifactType: 'application/vnd.docker.attestation.manifest.v1+json' },
    ]);
  });

  test.each([
    { form: 'an image manifest', flag: 'image-manifest=true', type: 'application/vnd.oci.image.manifest.v1+json' },
    { form: 'an index of blobs', flag: 'image-manifest=false', type: 'application/vnd.oci.image.index.v1+json' },
  ])('keeps its cache in the hub as $form and builds from it again', async ({ flag, type }) => {
    const repository = 'buildkit/cached';
    const tag = flag.replace('=', '-');
    const cache = `type=registry,ref=${hub.host}/${repository}:${tag}-cache`;
    const context = await writeBuildContext(`${workspace.path}/${tag}`, [2, 1]);
    await buildkit.build(context, ...pushAs(repository, tag), '--export-cache', `${cache},mode=max,${flag}`);
    const built = await read<Manifest>(hub, repository, `manifests/${tag}`);
    expect((await read<Manifest>(hub, repository, `manifests/${tag}-cache`)).mediaType).toBe(type);

    await buildkit.forget();
    const log = await buildkit.build(context, ...pushAs(repository, `${tag}-2`), '--import-cache', cache);
    expect(log.match(/ CACHED$/gm)).toHaveLength(2);
    expect(await read<Manifest>(hub, repository, `manifests/${tag}-2`)).toEqual(built);
  });

  test('builds on an image that it pulls from the hub', async () => {
    const repository = 'buildkit/base';
    const context = await writeBuildContext(`${workspace.path}/base`, [2, 1]);
    await buildkit.build(context, ...pushAs(repository, 'base'));
    await buildkit.forget();

    await writeFile(join(context, 'Dockerfile'), `FROM ${hub.host}/${repository}:base\nCOPY layer-1.bin /added.bin\n`);
    await buildkit.build(context, ...pushAs(repository, 'derived'));
    const base = await read<Manifest>(hub, repository, 'manifests/base');
    const derived = await read<Manifest>(hub, repository, 'manifests/derived');
    expect(derived.layers?.slice(0, -1)).toMatchObject((base.layers ?? []).map(({ digest }) => ({ digest })));
  });
});
