import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { expectStatus } from '../harness/oci-client.ts';
import { chart, provenance } from './charts.ts';
import { classic } from './client.ts';

const hub = await testHub();

describe('a chart that was uploaded to the classic door', () => {
  it('is in the index, downloads by its name, and is the same bytes through /v2', async () => {
    const namespace = `${await hub.project()}/charts`;
    const door = classic(hub, namespace);
    const packed = await chart({ version: '1.2.3+build.5' });
    const answer = await door.upload(packed.bytes);
    expect(answer.body.toString()).toBe('{"saved":true}');
    expectStatus(answer, 201);
    const index = await door.index();
    expect(index.entries['web']).toMatchObject([
      { name: 'web', version: '1.2.3+build.5', urls: [packed.file], digest: packed.sha256, apiVersion: 'v2' },
    ]);
    expect((await door.get(`/${packed.file}`)).body).toEqual(packed.bytes);
    const repo = hub.admin.repo(`${namespace}/web`);
    const manifest = JSON.parse((await repo.getManifest('1.2.3_build.5')).body.toString()) as {
      layers: { digest: string }[];
    };
    expect((await repo.getBlob(manifest.layers[0]!.digest)).body).toEqual(packed.bytes);
  });

  it('takes a provenance file in the same form', async () => {
    const door = classic(hub, `${await hub.project()}/charts`);
    const packed = await chart();
    const prov = provenance(packed);
    expectStatus(await door.form({ chart: packed.bytes, prov }), 201);
    expect((await door.get(`/${packed.file}.prov`)).body).toEqual(prov);
  });
});
