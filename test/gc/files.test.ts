import { describe, expect, it } from 'vitest';
import { collect } from '../../src/registry/gc/collect.ts';
import { newFiles } from '../files/harness.ts';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus } from '../harness/oci-client.ts';

const hub = await testHub({ config: { gc: { undo: 0, delay: 0, bytesDelay: 0, lease: 0 } } });
const registry = hub.context.registry;

describe('files of a version that is being made', () => {
  it('keep their bytes, which go when the file is replaced or removed, or the version goes', async () => {
    const files = await newFiles(hub);
    const repo = hub.admin.repo(files.repository);
    const [first, second, third, fourth] = [blob(101), blob(102), blob(103), blob(104)];
    expectStatus(await files.put('1.0', 'anchor', 'x'), 201);
    expectStatus(await files.put('1.0', 'a', first.bytes), 201);
    expectStatus(await files.put('1.0', 'b', third.bytes), 201);
    expectStatus(await files.put('1.0', 'c', fourth.bytes), 201);
    expect((await collect(registry)).links).toBe(0);
    expectStatus(await files.put('1.0', 'a', second.bytes), 200);
    expect(await collect(registry), 'no manifest was ever built with the first').toMatchObject({
      links: 1,
      bytes: 101,
    });
    expect((await files.get('1.0', 'a')).body).toEqual(second.bytes);
    expectStatus(await files.ask('DELETE', files.at('1.0', 'b')), 204);
    expect(await collect(registry)).toMatchObject({ links: 1, bytes: 103 });
    // The tag's manifest, made when the version was new, is behind the files; a push moves the tag without building it anew.
    expectStatus(await repo.deleteManifest('1.0'), 202);
    expect(await collect(registry), 'what was settled stays as a manifest without a tag').toMatchObject({ links: 0 });
  });
});
