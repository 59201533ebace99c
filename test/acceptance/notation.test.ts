import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Client, lacks } from './clients/client.ts';
import { makeNotation } from './clients/notation.ts';
import { makeOras, type Oras, pushSample } from './clients/oras.ts';
import { referrers } from './registry.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

describe.skipIf(lacks('notation', 'oras'))('notation', () => {
  const hub = inject('hub');
  const signatureType = 'application/vnd.cncf.notary.signature';
  let workspace: Workspace;
  let notation: Client['run'];
  let oras: Oras;

  beforeAll(async () => {
    workspace = await makeWorkspace('notation');
    [notation, oras] = await Promise.all([makeNotation(workspace, hub), makeOras(workspace)]);
    await oras.login(hub);
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  const pushToSign = (repository: string) => pushSample(oras, hub, repository, workspace.path);
  const verify = (reference: string) => notation('verify', '--insecure-registry', reference);
  const sign = (reference: string, ...flags: string[]) => notation('sign', '--insecure-registry', ...flags, reference);

  test('stores a signature by the referrers API and verifies it', async () => {
    const { reference, digest } = await pushToSign('notation/api');
    await expect(verify(reference)).rejects.toThrow(/no signature is associated/);
    await sign(reference, '--force-referrers-tag=false');
    expect(await verify(reference)).toContain('Successfully verified');

    expect(await referrers(hub, 'notation/api', digest)).toMatchObject([{ artifactType: signatureType }]);
    expect(await oras.run('repo', 'tags', '--plain-http', `${hub.host}/notation/api`)).toBe('1');
  });

  test('stores a signature by the fallback tag, which is what it does by default, and verifies it', async () => {
    const { reference } = await pushToSign('notation/tag');
    await sign(reference);
    expect(await verify(reference)).toContain('Successfully verified');
    expect(await notation('list', '--insecure-registry', reference)).toContain(signatureType);
  });
});
