/** Real clients go on by the old name of a project, while and after it gets another one. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { archiveOf, packageChart } from './charts.ts';
import { type Client, lacks, rootRights } from './clients/client.ts';
import { makeCrane } from './clients/crane.ts';
import { makeCurl } from './clients/curl.ts';
import { startDocker } from './clients/docker.ts';
import { credentials, makeHelm, releases, type Helm } from './clients/helm.ts';
import { makeOras, type Oras } from './clients/oras.ts';
import { makeSkopeo } from './clients/skopeo.ts';
import { run } from './command.ts';
import { writeBuildContext, writeRandomFile } from './layers.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

const hub = inject('hub');
const curl = makeCurl(hub);
let number = 0;

/** A project that gets other names over and over, its first one among them, while `work` is done, and keeps the last. */
class Renamed {
  readonly first = `rename-${process.pid}-${number++}`;
  now = this.first;

  async while(work: () => Promise<void>): Promise<void> {
    let over = false;
    const working = work().finally(() => (over = true));
    for (let round = 1; !over || this.now === this.first; round++) await this.to(`${this.first}-${round % 3}`);
    await working;
  }

  private async to(name: string): Promise<void> {
    const wanted = name.endsWith('-0') ? this.first : name;
    if (wanted === this.now) return;
    const body = ['--header', 'Content-Type: application/json', '--data', JSON.stringify({ name: wanted })];
    await curl(`/api/v1/projects/${this.now}/rename`, ...body);
    this.now = wanted;
  }

  /** What whoever writes by the first name is told. */
  get told(): RegExp {
    return new RegExp(`${this.first}/\\S+ is called ${this.now}/\\S+ now`);
  }
}

async function withWorkspace(name: string): Promise<Workspace> {
  return makeWorkspace(`rename-${name}`);
}

describe.skipIf(lacks('docker', 'dockerd', rootRights, 'curl'))('docker', () => {
  let workspace: Workspace;
  let docker: Client & AsyncDisposable;

  beforeAll(async () => {
    workspace = await withWorkspace('docker');
    docker = await startDocker(workspace);
    await docker.login(hub);
  });
  afterAll(async () => {
    await docker?.[Symbol.asyncDispose]();
    await workspace?.[Symbol.asyncDispose]();
  });

  test('pulls the old name meanwhile, and hears the new one when it pushes', async () => {
    const project = new Renamed();
    const image = `${hub.host}/${project.first}/app:1`;
    await docker.run('build', '--tag', image, await writeBuildContext(`${workspace.path}/context`, [3, 1]));
    await docker.run('push', image);
    const id = await docker.run('image', 'inspect', '--format={{.Id}}', image);
    await project.while(async () => {
      for (let i = 0; i < 5; i++) {
        await docker.run('rmi', image);
        await docker.run('pull', image);
        expect(await docker.run('image', 'inspect', '--format={{.Id}}', image)).toBe(id);
      }
    });
    await expect(docker.run('push', image)).rejects.toThrow(project.told);
    const renamed = `${hub.host}/${project.now}/app:2`;
    await docker.run('tag', image, renamed);
    await docker.run('push', renamed);
    await docker.run('pull', `${hub.host}/${project.first}/app:2`);
  });
});

describe.skipIf(lacks('crane', 'skopeo', 'oras', 'curl'))('crane, skopeo and oras', () => {
  let workspace: Workspace;
  let [crane, skopeo] = [] as unknown as [Client, Client];
  let oras: Oras;

  beforeAll(async () => {
    workspace = await withWorkspace('clients');
    [crane, skopeo, oras] = await Promise.all([makeCrane(workspace), makeSkopeo(workspace), makeOras(workspace)]);
    for (const client of [crane, skopeo, oras]) await client.login(hub);
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  test('pull and copy from the old name meanwhile, and hear the new one when they push', async () => {
    const project = new Renamed();
    const image = `${hub.host}/${project.first}/app:1`;
    await writeRandomFile(join(workspace.path, 'file'), 2);
    await run('tar', ['-cf', join(workspace.path, 'layer.tar'), '-C', workspace.path, 'file']);
    const layer = ['--new_layer', join(workspace.path, 'layer.tar')];
    await crane.run('append', ...layer, '--new_tag', image);
    await writeFile(join(workspace.path, 'note.txt'), 'a note');
    const note = `${hub.host}/${project.first}/note`;
    await oras.push(`${note}:1`, workspace.path, ['note.txt']);
    let round = 0;
    await project.while(async () => {
      for (; round < 4; round++) {
        await crane.run('validate', '--remote', image);
        const copy = `docker://${hub.host}/copies-${project.first}/app:${round}`;
        const plain = ['--src-tls-verify=false', '--dest-tls-verify=false'];
        await skopeo.run('copy', ...plain, `docker://${image}`, copy);
        const folder = await workspace.folder(`note-${round}`);
        await oras.run('pull', '--plain-http', '--output', folder, `${note}:1`);
        expect(await readFile(join(folder, 'note.txt'), 'utf8')).toBe('a note');
      }
    });
    await expect(crane.run('append', ...layer, '--new_tag', `${image}-more`)).rejects.toThrow(project.told);
    await expect(oras.push(`${note}:2`, workspace.path, ['note.txt'])).rejects.toThrow(project.told);
    await crane.run('append', ...layer, '--new_tag', `${hub.host}/${project.now}/app:2`);
    await crane.run('validate', '--remote', `${hub.host}/${project.first}/app:2`);
  });
});

describe.skipIf(lacks('curl'))('curl', () => {
  test('downloads files by the old name meanwhile, and hears the new one when it uploads', async () => {
    const project = new Renamed();
    const address = (name: string, file: string): string => `/files/${name}/tools:1.0/${file}`;
    await curl(address(project.first, 'x.txt'), '--upload-file', import.meta.filename);
    const sum = createHash('sha256')
      .update(await readFile(import.meta.filename))
      .digest('hex');
    await project.while(async () => {
      for (let i = 0; i < 20; i++) {
        const came = await curl(address(project.first, 'x.txt'));
        expect(createHash('sha256').update(came).digest('hex')).toBe(sum);
      }
    });
    const upload = (name: string): Promise<string> =>
      curl(address(name, 'y.txt'), '--upload-file', import.meta.filename);
    await expect(upload(project.first)).rejects.toThrow(project.told);
    await upload(project.now);
    await curl(address(project.first, 'y.txt'));
  });
});

describe.skipIf(lacks(...releases, 'curl')).for(releases)('%s', (release) => {
  let workspace: Workspace;
  let helm: Helm;

  beforeAll(async () => {
    workspace = await withWorkspace(release);
    helm = await makeHelm(workspace, release);
    await helm.login(hub);
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  test('pulls by both doors under the old name meanwhile, and hears the new one when it pushes', async () => {
    const project = new Renamed();
    const chart = { name: 'plain', version: '1.2.3' };
    const archive = await packageChart(helm, await workspace.folder('source'), chart);
    await helm.oci('push', archive, `oci://${hub.host}/${project.first}/charts`);
    const classic = ['--repo', `${hub.url}/charts/${project.first}/charts`, ...credentials(hub)];
    await helm.run('repo', 'add', 'old', classic[1]!, ...credentials(hub));
    let round = 0;
    await project.while(async () => {
      for (; round < 3; round++) {
        await helm.run('repo', 'update');
        const ways = {
          oci: () => helm.oci('pull', `oci://${hub.host}/${project.first}/charts/plain`, '--version', '1.2.3', ...to()),
          classic: () => helm.run('pull', 'plain', '--version', '1.2.3', ...classic, ...to()),
          added: () => helm.run('pull', 'old/plain', '--version', '1.2.3', ...to()),
        };
        let folder = '';
        const to = (): string[] => ['--destination', folder];
        for (const [way, pull] of Object.entries(ways)) {
          folder = await workspace.folder(`${way}-${round}`);
          await pull();
          const came = await readFile(join(folder, archiveOf(chart)));
          expect(came.equals(await readFile(archive)), `${basename(archive)} by ${way}`).toBe(true);
        }
      }
    });
    const next = await packageChart(helm, await workspace.folder('next'), { name: 'plain', version: '2.0.0' });
    // The oldest one tells no more of a refusal than its status.
    const told = release === 'helm-3.8' ? /403/ : project.told;
    await expect(helm.oci('push', next, `oci://${hub.host}/${project.first}/charts`)).rejects.toThrow(told);
    await helm.oci('push', next, `oci://${hub.host}/${project.now}/charts`);
    await helm.run('repo', 'update');
    await helm.run('pull', 'old/plain', '--version', '2.0.0', '--destination', await workspace.folder('newest'));
  });
});
