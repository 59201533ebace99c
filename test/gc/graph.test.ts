import { randomInt } from 'node:crypto';
import sql from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import { collect } from '../../src/registry/gc/collect.ts';
import { previewCollection } from '../../src/registry/gc/preview.ts';
import { testHub, type TestHub } from '../harness/hub.ts';
import {
  artifact,
  blob,
  expectStatus,
  image,
  index,
  type Blob,
  type Image,
  type Manifest,
  type Repo,
} from '../harness/oci-client.ts';
import { random, type Random } from './random.ts';

const ROUNDS = 5;

interface Graph {
  readonly repo: Repo;
  readonly manifests: Manifest[];
  readonly layers: Blob[];
}

async function push(graph: Graph, content: Image, tag: string | undefined): Promise<void> {
  await graph.repo.mustPushImage(content, tag);
  graph.manifests.push(content.manifest);
  graph.layers.push(...content.blobs.slice(1));
}

/** One thing that somebody may do, chosen by `dice`; refusals are part of life. */
async function act(graph: Graph, dice: Random, step: string): Promise<void> {
  const { repo, manifests, layers } = graph;
  // Mostly of the latest, which are still there.
  const some = (): Manifest | undefined => manifests.at(-1 - dice(dice(3) === 0 ? manifests.length : 8));
  const subject = some();
  const what = dice(12);
  if (what <= 2) {
    const shared = layers.length > 0 ? [layers[dice(layers.length)]?.bytes ?? 10] : [];
    await push(graph, image({ layers: [50 + dice(400), ...shared] }), what === 0 ? undefined : `v${dice(6)}`);
  } else if (what === 3) {
    await repo.mustPush(blob(30));
  } else if (what === 4 && manifests.length > 0) {
    const children = [...new Set([some(), some()])].filter((one) => one !== undefined);
    const parent = index(children, { extra: { annotations: { step } } });
    if ((await repo.putManifest(parent, dice(2) === 0 ? `v${dice(6)}` : undefined)).status === 201)
      manifests.push(parent);
  } else if ((what === 5 || what === 6) && subject) {
    await push(graph, artifact({ subject, layers: [20] }), undefined);
  } else if (what === 7 && subject) {
    await push(graph, artifact({ layers: [25] }), `${subject.digest.replace(':', '-')}.sig`);
  } else if (what === 8 && subject) {
    const list = index([subject], { extra: { annotations: { step } } });
    const tag = subject.digest.replace(':', '-');
    if ((await repo.putManifest(list, dice(2) === 0 ? tag : undefined)).status === 201) manifests.push(list);
  } else if (subject) {
    await repo.deleteManifest(dice(4) === 0 ? `v${dice(6)}` : subject.digest);
  }
}

/** What the rows say, told apart from how the hub finds it. */
async function judge(hub: TestHub): Promise<void> {
  const [loose] = await hub.db.query<{ links: number; blobs: number; references: number }>(sql`
    select (select count(*) from repository_blobs rb
            where not exists (select from manifest_blobs m where m.repository_id = rb.repository_id and m.blob_id = rb.blob_id)
           ) as links,
           (select count(*) from blobs b where not exists (select from repository_blobs rb where rb.blob_id = b.id)) as blobs,
           (select count(*) from manifests where deleted_at is not null) as references`);
  expect(loose, 'nothing is left that nothing uses').toEqual({ links: 0, blobs: 0, references: 0 });
}

async function pullAll({ repo, manifests }: Graph): Promise<void> {
  for (const { digest } of manifests) {
    if ((await repo.headManifest(digest)).status === 200) await repo.mustPull(digest);
  }
}

describe('a random graph under deletes', async () => {
  const hub = await testHub({ config: { gc: { undo: 0, delay: 0, bytesDelay: 0, lease: 0 } } });

  it('loses what nothing reaches, keeps the rest whole, and each run does what its preview said', async () => {
    const seed = randomInt(2 ** 31);
    const dice = random(seed);
    const graph: Graph = { repo: await hub.repo(), manifests: [], layers: [] };
    // In the first round one subject goes for good while others refer to it; what the dice say comes after it.
    const first = image({ layers: [40] });
    await push(graph, first, undefined);
    await push(graph, artifact({ subject: first.manifest, layers: [20] }), undefined);
    await push(graph, artifact({ layers: [20] }), `${first.manifest.digest.replace(':', '-')}.sig`);
    expectStatus(await graph.repo.deleteManifest(first.manifest.digest), 202);
    const totals = { manifests: 0, orphans: 0, links: 0, blobs: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      for (let step = 0; step < (round === 0 ? 0 : 15); step++) await act(graph, dice, `${round}.${step}`);
      const predicted = await previewCollection(hub.context.registry);
      const { busy, more: _, ...report } = await collect(hub.context.registry);
      expect(report, `seed ${seed}, round ${round}`).toEqual(predicted);
      expect(busy).toBe(false);
      await judge(hub);
      if (round === ROUNDS - 1) await pullAll(graph);
      for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] += report[key];
    }
    expect(Object.values(await previewCollection(hub.context.registry)).every((count) => count === 0)).toBe(true);
    expect(Math.min(...Object.values(totals)), `seed ${seed}: every step had something to do`).toBeGreaterThan(0);
    await hub.assertNothingLeft();
  }, 60_000);
});
