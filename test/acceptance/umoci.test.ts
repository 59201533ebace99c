import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Client, lacks, rootRights } from './clients/client.ts';
import { makeSkopeo } from './clients/skopeo.ts';
import { umoci } from './clients/umoci.ts';
import { writeRandomFile } from './layers.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

describe.skipIf(lacks('umoci', 'skopeo', rootRights))('umoci', () => {
  const hub = inject('hub');
  let workspace: Workspace;
  let skopeo: Client;

  beforeAll(async () => {
    workspace = await makeWorkspace('umoci');
    skopeo = await makeSkopeo(workspace);
    await skopeo.login(hub);
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  test('unpacks from the hub the files that were inserted into the pushed layout', async () => {
    const remote = `docker://${hub.host}/umoci/team/app:1`;
    const layout = `${workspace.path}/layout`;
    await umoci('init', '--layout', layout);
    await umoci('new', '--image', `${layout}:1`);
    for (const [index, sizeMiB] of [150, 100, 51].entries()) {
      const file = `${workspace.path}/file-${index}`;
      await writeRandomFile(file, sizeMiB);
      await umoci('insert', '--image', `${layout}:1`, file, `/data/file-${index}`);
    }

    await skopeo.run('copy', '--dest-tls-verify=false', `oci:${layout}:1`, remote);
    await skopeo.run('copy', '--src-tls-verify=false', remote, `oci:${workspace.path}/pulled:1`);
    await umoci('unpack', '--image', `${workspace.path}/pulled:1`, `${workspace.path}/bundle`);

    for (const index of [0, 1, 2]) {
      const sent = await readFile(`${workspace.path}/file-${index}`);
      const received = await readFile(`${workspace.path}/bundle/rootfs/data/file-${index}`);
      expect(received.equals(sent), `file-${index} came back as it was`).toBe(true);
    }
  });
});
