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
  return { made, look: () => made.get('/api/charts/web/1.2.3/templates', { Authorization: '' }) };
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
    const { made, look } = await shown(
      Array.from({ length: 1_500 }, (_, i) => `k${i}: { a: [1, 2, { b: c }] }`).join('\n'),
    );
    const looks = Promise.all(Array.from({ length: 60 }, async () => (await look()).status));
    expectStatus(await made.upload((await chart({ name: 'other' })).bytes), 201);
    const statuses = await looks;
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThan(10);
  });
});
