import { expect, it } from 'vitest';
import { collect } from '../../src/registry/gc/collect.ts';
import { testHub } from '../harness/hub.ts';
import {
  artifact,
  describe as descriptor,
  expectStatus,
  image,
  index,
  manifest,
  type Blob,
} from '../harness/oci-client.ts';
import type { Image, Manifest, Repo } from '../harness/oci-client.ts';
import { Random } from '../torture/random.ts';
import { timeMachine } from './harness.ts';

// All clocks have run out as soon as something is deleted.
const hub = await testHub({ config: { gc: { undo: 0, delay: 0, bytesDelay: 0, lease: 0 } } });
const { db } = hub;

interface Preview {
  refused?: string;
  manifests: { digest: string }[];
  unreachable: { digest: string }[];
  freed: Record<'repository' | 'project' | 'store', { blobs: number; bytes: number }>;
}

interface Amounts {
  manifests: string[];
  project: number;
  links: number;
  blobs: number;
  bytes: number;
}

const hex = (column: string) => `'sha256:' || encode(substr(${column}, 2), 'hex')`;

async function amounts(repo: Repo): Promise<Amounts> {
  // Sums are numeric, which the driver leaves as text.
  const { rows } = await db.pool.query<Record<Exclude<keyof Amounts, 'manifests'>, string> & { manifests: string[] }>(
    `with here as (select id, project_id from repositories where path = $1),
          linked as (select distinct rb.blob_id from repository_blobs rb join repositories r on r.id = rb.repository_id
                     where r.project_id = (select project_id from here))
     select array(select ${hex('digest')} from manifests where repository_id = (select id from here) order by 1) as manifests,
            (select coalesce(sum(size), 0) from blobs where id in (select blob_id from linked))
              + (select coalesce(sum(m.size), 0) from manifests m join repositories r on r.id = m.repository_id
                 where r.project_id = (select project_id from here)) as project,
            (select count(*) from repository_blobs where repository_id = (select id from here)) as links,
            (select count(*) from blobs) as blobs, (select coalesce(sum(size), 0) from blobs) as bytes`,
    [repo.name],
  );
  const { manifests, ...numbers } = rows[0]!;
  return { manifests, ...Object.fromEntries(Object.entries(numbers).map(([k, v]) => [k, Number(v)])) } as Amounts;
}

const HISTORIES = Number(process.env['BERTH_PREVIEW_HISTORIES'] ?? 2);

it.each(Array.from({ length: HISTORIES }, (_, at) => at + 1))(
  'what the preview of a delete promises is what comes of it, history %d',
  async (seed) => {
    const random = new Random(seed);
    const pick = <T>(all: readonly T[]): T => random.pick(all);
    const [p, q] = [await hub.project(), await hub.project()];
    const repos = [`${p}/a`, `${p}/b`, `${q}/a`].map((name) => hub.admin.repo(name));
    const layers: Blob[] = [];
    const pushed = new Map<Repo, Manifest[]>(repos.map((repo) => [repo, []]));

    /** An image of new layers and of ones that are elsewhere already. */
    async function pushImage(repo: Repo, subject?: Manifest): Promise<Manifest> {
      const base: Image = subject
        ? artifact({ subject, layers: [50 + random.below(500)] })
        : image({ layers: [100 + random.below(900)] });
      const document = JSON.parse(base.manifest.bytes.toString()) as { layers: object[] };
      const shared = layers.length > 0 && random.below(2) === 0 ? [pick(layers)] : [];
      document.layers.push(...shared.map((one) => descriptor(one, 'application/octet-stream')));
      for (const one of [...base.blobs, ...shared]) await repo.mustPush(one);
      layers.push(base.blobs[1]!);
      const content = manifest(document);
      await repo.mustPut(content);
      return content;
    }

    for (const repo of repos) {
      const mine = pushed.get(repo)!;
      for (let at = 0; at < 10; at++) {
        const kind = mine.length < 3 ? 0 : random.below(5);
        let content: Manifest;
        if (kind <= 1) content = await pushImage(repo);
        else if (kind === 2) {
          content = index([pick(mine), pick(mine)], { extra: { annotations: { at: `${seed} ${at}` } } });
          await repo.mustPut(content);
        } else content = await pushImage(repo, pick(mine));
        if (kind === 4) {
          // As clients without the referrers API do: a list of what refers to something under the tag that says its digest.
          const about = pick(mine);
          const list = index([content], { extra: { annotations: { about: about.digest } } });
          await repo.mustPut(list, `${about.digest.replace(':', '-')}${pick(['', '.sig', '.att'])}`);
          mine.push(list);
        }
        if (random.below(3) === 0) await repo.mustPut(content, `t${at}`);
        mine.push(content);
      }
    }

    let outcomes = 0;
    for (let round = 0; round < 30; round++) {
      const repo = pick(repos);
      const target = pick(pushed.get(repo)!);
      // What nothing needed before this is no outcome of it.
      await collect(hub.context.registry);
      const asked = await timeMachine(hub, repo).preview({ digest: target.digest });
      if (asked.status === 404) continue;
      const preview = expectStatus(asked, 200).json<Preview>();
      const before = await amounts(repo);
      const answer = await repo.deleteManifest(target.digest);
      expect(answer.status, preview.refused).toBe(preview.refused === undefined ? 202 : 405);
      if (preview.refused !== undefined) continue;
      await collect(hub.context.registry);
      const after = await amounts(repo);
      const gone = before.manifests.filter((digest) => !after.manifests.includes(digest));
      const { freed } = preview;
      expect({
        manifests: gone,
        project: before.project - after.project,
        links: before.links - after.links,
        blobs: before.blobs - after.blobs,
        bytes: before.bytes - after.bytes,
      }).toEqual({
        manifests: preview.manifests.map(({ digest }) => digest).toSorted(),
        project: freed.project.bytes,
        links: freed.repository.blobs,
        ...freed.store,
      });
      for (const { digest } of preview.unreachable) expect(after.manifests).toContain(digest);
      outcomes++;
    }
    expect(outcomes).toBeGreaterThan(5);
  },
);
