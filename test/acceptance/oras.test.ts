import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { lacks } from './clients/client.ts';
import { makeOras, type Oras, pushSample } from './clients/oras.ts';
import { writeRandomFile } from './layers.ts';
import { referrers } from './registry.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

describe.skipIf(lacks('oras'))('oras', () => {
  const hub = inject('hub');
  const repository = 'oras/team/files';
  const plainHttp = '--plain-http';
  let workspace: Workspace;
  let oras: Oras;

  beforeAll(async () => {
    workspace = await makeWorkspace('oras');
    oras = await makeOras(workspace);
    await oras.login(hub);
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  test('refuses a wrong password', async () => {
    await expect(oras.login({ ...hub, password: 'wrong' })).rejects.toThrow(/unauthorized|401/i);
    await oras.login(hub);
  });

  test('pushes 300 MB in three files and pulls the same bytes', async () => {
    const reference = `${hub.host}/${repository}:1`;
    const [source, target] = [await workspace.folder('source'), await workspace.folder('target')];
    const sizesMiB = { 'a.bin': 150, 'b.bin': 100, 'c.bin': 51 };
    for (const [name, size] of Object.entries(sizesMiB)) await writeRandomFile(join(source, name), size);

    const type = 'application/vnd.example.files.v1';
    await oras.push(reference, source, Object.keys(sizesMiB), `--artifact-type=${type}`);
    await oras.run('pull', plainHttp, '--output', target, reference);
    for (const name of Object.keys(sizesMiB)) {
      const [sent, received] = [await readFile(join(source, name)), await readFile(join(target, name))];
      expect(received.equals(sent), `${name} came back as it was`).toBe(true);
    }
    expect(JSON.parse(await oras.run('manifest', 'fetch', plainHttp, reference))).toMatchObject({ artifactType: type });
  });

  /** Attaches a note, and answers its type. */
  async function attachNote(subject: string): Promise<string> {
    const note = join(workspace.path, 'note.txt');
    await writeFile(note, 'a note');
    const type = 'application/vnd.example.note';
    const details = [`--artifact-type=${type}`, '--annotation=made.by=acceptance', '--disable-path-validation'];
    await oras.run('attach', plainHttp, ...details, subject, `${note}:text/plain`);
    return type;
  }

  test('attaches an artifact to another and discovers it', async () => {
    const { reference, digest } = await pushSample(oras, hub, 'oras/attach', workspace.path);
    const type = await attachNote(reference);
    expect(await oras.run('discover', plainHttp, '--format=json', reference)).toContain(type);
    const onlyByApi = '--distribution-spec=v1.1-referrers-api';
    expect(await oras.run('discover', plainHttp, onlyByApi, '--format=json', reference)).toContain(type);
    expect(await referrers(hub, 'oras/attach', digest)).toMatchObject([
      { artifactType: type, annotations: { 'made.by': 'acceptance' } },
    ]);
  });

  test('copies an artifact with what refers to it into another repository', async () => {
    const { reference, digest } = await pushSample(oras, hub, 'oras/graph', workspace.path);
    await attachNote(reference);
    const copy = `${hub.host}/oras/copy`;
    const plainBothWays = ['--from-plain-http', '--to-plain-http'];
    await oras.run('copy', '--recursive', ...plainBothWays, reference, `${copy}:1`);

    expect(await oras.run('resolve', plainHttp, `${copy}:1`)).toBe(digest);
    expect(await referrers(hub, 'oras/copy', digest)).toHaveLength(1);
    expect(await oras.run('repo', 'tags', plainHttp, copy)).toBe('1');
  });
});
