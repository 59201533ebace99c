import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Client, lacks } from './clients/client.ts';
import { makeCrane } from './clients/crane.ts';
import { run } from './command.ts';
import { writeRandomFile } from './layers.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

describe.skipIf(lacks('crane'))('crane', () => {
  const hub = inject('hub');
  const image = `${hub.host}/crane/team/app`;
  let workspace: Workspace;
  let crane: Client;

  beforeAll(async () => {
    workspace = await makeWorkspace('crane');
    crane = await makeCrane(workspace);
    await crane.login(hub);
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  /** Appends each layer to an empty image and pushes it; answers the digest of the image. */
  async function pushImage(tag: string, layersMiB: readonly number[]): Promise<string> {
    const layers: string[] = [];
    for (const [index, size] of layersMiB.entries()) {
      await writeRandomFile(join(workspace.path, `${tag}-${index}`), size);
      const layer = join(workspace.path, `${tag}-${index}.tar`);
      await run('tar', ['-cf', layer, '-C', workspace.path, `${tag}-${index}`]);
      layers.push(layer);
    }
    await crane.run('append', '--new_layer', layers.join(','), '--new_tag', `${image}:${tag}`);
    return crane.run('digest', `${image}:${tag}`);
  }

  test('pulls an image of 300 MB, deletes it from the hub, and pushes the same one back', async () => {
    const digest = await pushImage('large', [150, 100, 51]);
    await crane.run('validate', '--remote', `${image}:large`);
    const layout = join(workspace.path, 'layout');
    await crane.run('pull', '--format=oci', `${image}:large`, layout);

    await crane.run('delete', `${image}@${digest}`);
    await expect(crane.run('digest', `${image}:large`)).rejects.toThrow(/MANIFEST_UNKNOWN|404/);
    await crane.run('push', layout, `${image}:large`);
    expect(await crane.run('digest', `${image}:large`)).toBe(digest);
    await crane.run('validate', '--remote', `${image}:large`);
  });

  test('tags, lists and copies to another repository', async () => {
    const digest = await pushImage('small', [1, 1, 1]);
    await crane.run('tag', `${image}:small`, 'stable');
    const tags = (await crane.run('ls', image)).split('\n');
    expect(tags).toEqual(expect.arrayContaining(['small', 'stable']));

    await crane.run('copy', `${image}:stable`, `${hub.host}/crane/other:stable`);
    expect(await crane.run('digest', `${hub.host}/crane/other:stable`)).toBe(digest);
    await crane.run('validate', '--remote', `${hub.host}/crane/other:stable`);
  });
});
