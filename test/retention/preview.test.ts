/** What a preview says, and that it says why. */
import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { artifact, expectStatus, image, index, type Image } from '../harness/oci-client.ts';
import { decisionOn, projectOf, retentionOf, type Decision, type PreviewPage } from './project.ts';

const hub = await testHub();
const { age, preview } = retentionOf(hub);

describe('a preview', () => {
  it('explains each tag, and counts the bytes that become free once', async () => {
    const repo = await hub.repo();
    const base = image().manifest.bytes;
    const images: Image[] = [];
    for (const tag of ['1.0.0', '1.1.0', '2.0.0', 'pr-1']) {
      const one = image({ layers: [Buffer.concat([base, base]), 700] });
      await repo.mustPushImage(one, tag);
      images.push(one);
      await age(1);
    }
    const page = await preview(repo, [
      { tags: ['*'], except: ['pr-*'], keep_latest: 1 },
      { tags: ['pr-*'], keep_pushed_days: 0, keep_pulled_days: 0 },
    ]);
    expect(decisionOn(page.items, '2.0.0').reason).toBe('kept because rule 1 keeps the 1 latest (1st)');
    expect(decisionOn(page.items, '1.1.0').reason).toBe(
      'deleted because rule 1 covers it and does not keep it: not among the 1 latest',
    );
    expect(decisionOn(page.items, 'pr-1').reason).toBe(
      'deleted because rule 2 covers it and does not keep it: pushed 1 day ago, more than 0 days, not pulled since its push 1 day ago, more than 0 days',
    );
    const own = [0, 1, 3].flatMap((at) => images[at]!.blobs.filter(({ size }) => size !== base.length * 2));
    expect(page.totals).toMatchObject({ tags_deleted: 3, tags_kept: 1, manifests_deleted: 3, manifests_kept: 1 });
    expect(page.totals!.bytes).toBe(own.reduce((sum, { size }) => sum + size, 0));
  });

  it('keeps what is a child of something kept, or refers to it', async () => {
    const repo = await hub.repo();
    const children = [image(), image()];
    for (const child of children) await repo.mustPushImage(child, child === children[0] ? 'amd64' : undefined);
    const list = index(children.map((child) => child.manifest));
    await repo.mustPut(list, 'v1');
    const sbom = artifact({ subject: children[1]!.manifest });
    await repo.mustPushImage(sbom);
    const other = image();
    await repo.mustPushImage(other, 'old');
    const signature = artifact();
    await repo.mustPushImage(signature, `sha256-${other.manifest.digest.slice(7)}.sig`);
    await age(2);
    const page = await preview(repo, [{ except: ['v1'], keep_latest: 0 }]);
    expect(decisionOn(page.items, 'amd64').decision).toBe('deleted');
    expect(decisionOn(page.items, children[0]!.manifest.digest).reason).toBe(
      `kept because it is a child of ${list.digest} (tag v1)`,
    );
    expect(decisionOn(page.items, sbom.manifest.digest).decision).toBe('kept');
    expect(decisionOn(page.items, `sha256-${other.manifest.digest.slice(7)}.sig`).reason).toBe(
      `deleted because its subject ${other.manifest.digest} (tag old) is deleted`,
    );
    expect(decisionOn(page.items, signature.manifest.digest).decision).toBe('deleted');
  });

  it('keeps what is immutable, held or leased, whatever the rules say', async () => {
    const repo = await hub.repo();
    const project = projectOf(repo);
    for (const tag of ['rel-1', 'held']) await repo.mustPushImage(image(), tag);
    await age(5);
    await repo.mustPushImage(image(), 'new');
    const hold = { repository: repo.name, tag: 'held', owner_kind: 'app', owner_id: 'shop', reason: 'deployed' };
    expectStatus(await hub.api('PUT', `/projects/${project}/holds`, hold), 200);
    expectStatus(await hub.api('POST', `/projects/${project}/immutability`, { tag_glob: 'rel-*' }), 201);
    const { items, totals } = await preview(repo, [{ keep_latest: 0 }]);
    expect(totals).toMatchObject({ tags_deleted: 0, tags_kept: 3, manifests_deleted: 0 });
    expect(decisionOn(items, 'rel-1').reason).toMatch(
      /^kept because it is immutable \(rule \d+: tags rel-\* in \*\*\)$/,
    );
    expect(decisionOn(items, 'held').reason).toBe('kept because app shop holds it (deployed)');
    expect(decisionOn(items, 'new').reason).toBe('kept because it was pushed a moment ago and its lease still runs');
  });

  it('comes in pages that together are the whole', async () => {
    const repo = await hub.repo();
    for (const tag of ['a', 'b', 'c']) await repo.mustPushImage(image(), tag);
    await age(1);
    const whole = await preview(repo, [{ keep_latest: 1 }]);
    const parts: Decision[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const page: PreviewPage = await preview(
        repo,
        [{ keep_latest: 1 }],
        'all',
        `?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      parts.push(...page.items);
      cursor = page.next_cursor;
    }
    expect(parts).toEqual(whole.items);
    expect(whole.items).toHaveLength(6);
  });
});
