import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { expectStatus } from '../harness/oci-client.ts';
import { chart } from './charts.ts';
import { classic } from './client.ts';

const hub = await testHub();

/** Where everyone may look, as who has not signed in, at a chart with these values. */
async function shown(values: string) {
  const made = classic(hub, `${await hub.project({ visibility: 'public' })}/charts`);
  expectStatus(await made.upload((await chart({ files: { 'values.yaml': values } })).bytes), 201);
  return { made, look: (version = '1.2.3') => made.get(`/api/charts/web/${version}/templates`, { Authorization: '' }) };
}

describe('who only looks at charts', () => {
  it('gets no more of a few hundred bytes than of a large chart', async () => {
    const { look } = await shown(`a: &a ${'x'.repeat(400_000)}\nb:\n${'- *a\n'.repeat(99)}`);
    const answer = expectStatus(await look(), 400);
    expect(answer.json<{ error: string }>().error).toContain('with its aliases written out it is longer than');
  });

  it('gets aliases written out as far as that is no trick', async () => {
    const { look } = await shown('a: &a { b: 1 }\nc: *a\n');
    expect(expectStatus(await look(), 200).json()).toMatchObject({ values: { a: { b: 1 }, c: { b: 1 } } });
  });

  it('waits behind others who look, in a line that has an end, and holds up no push', async () => {
    const { made, look } = await shown('a: 1\n');
    const versions = Array.from({ length: 24 }, (_, i) => `2.0.${i}`);
    for (const version of versions) {
      const values = Array.from({ length: 500 }, (_, i) => `k${i}: { a: [1, 2, { b: ${version} }] }`).join('\n');
      expectStatus(await made.upload((await chart({ version, files: { 'values.yaml': values } })).bytes), 201);
    }
    const looks = Promise.all([...versions, ...versions].map(async (version) => (await look(version)).status));
    expectStatus(await made.upload((await chart({ name: 'other' })).bytes), 201);
    expect(new Set(await looks)).toEqual(new Set([200, 503]));
    const same = await Promise.all(Array.from({ length: 60 }, async () => (await look('2.0.0')).status));
    expect(new Set(same)).toEqual(new Set([200]));
  });
});
