import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { lacks } from './clients/client.ts';
import { type Cosign, makeCosign } from './clients/cosign.ts';
import { makeOras, type Oras, pushSample } from './clients/oras.ts';
import { referrers } from './registry.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

describe.skipIf(lacks('cosign', 'oras'))('cosign', () => {
  const hub = inject('hub');
  let workspace: Workspace;
  let cosign: Cosign;
  let oras: Oras;

  beforeAll(async () => {
    workspace = await makeWorkspace('cosign');
    [cosign, oras] = await Promise.all([makeCosign(workspace, hub), makeOras(workspace)]);
    await oras.login(hub);
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  const pushToSign = (repository: string) => pushSample(oras, hub, repository, workspace.path);

  test('signs with a bundle that refers to the image, and verifies it', async () => {
    const { reference, digest } = await pushToSign('cosign/bundle');
    await expect(cosign.verify(reference)).rejects.toThrow(/no signatures found/i);
    await cosign.sign(reference);
    expect(await cosign.verify(reference)).toContain(digest);

    const [bundle, ...more] = await referrers(hub, 'cosign/bundle', digest);
    expect(more).toEqual([]);
    expect(bundle?.artifactType).toMatch(/^application\/vnd\.dev\.sigstore\.bundle/);
    expect(await oras.run('repo', 'tags', '--plain-http', `${hub.host}/cosign/bundle`)).toBe('1');
  });

  test('signs with the older tag, twice, and verifies both', async () => {
    const { reference, digest } = await pushToSign('cosign/tag');
    await cosign.sign(reference, '--new-bundle-format=false', '--annotations=by=first');
    await cosign.sign(reference, '--new-bundle-format=false', '--annotations=by=second');

    const verified = await cosign.verify(reference, '--new-bundle-format=false');
    expect(verified).toContain('"by":"first"');
    expect(verified).toContain('"by":"second"');
    expect((await oras.run('repo', 'tags', '--plain-http', `${hub.host}/cosign/tag`)).split('\n')).toContain(
      `${digest.replace(':', '-')}.sig`,
    );
  });
});
