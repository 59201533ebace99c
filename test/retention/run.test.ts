/** What a run deletes, what it leaves because something changed, and what undoing brings back. */
import sql from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { artifact, image, index, type Repo } from '../harness/oci-client.ts';
import { decided } from './decided.ts';
import { decisionOn, retentionOf } from './project.ts';

const hub = await testHub();
const { age, preview, set, start, runOf, undo, work, decisions } = retentionOf(hub);

async function status(repo: Repo, reference: string): Promise<number> {
  return (await repo.request('HEAD', `/manifests/${reference}`)).status;
}

describe('a run', () => {
  it('does what the preview said, and undoing it brings tags and manifests back', async () => {
    const repo = await hub.repo();
    const [old, child, kept] = [image(), image(), image()];
    await repo.mustPushImage(child);
    const list = index([child.manifest]);
    await repo.mustPut(list, '1.0.0');
    const signature = artifact({ subject: list });
    await repo.mustPushImage(signature);
    await repo.mustPushImage(old, 'nightly');
    await age(3);
    await repo.mustPushImage(kept, '1.1.0');
    await age(1);
    const rules = [{ keep_latest: 1 }];
    const before = await preview(repo, rules);
    await set(repo, rules);
    const { id } = await start(repo);
    await work(id);
    const run = await runOf(repo, id);
    const { too_large: none, ...totals } = before.totals!;
    expect(none).toEqual([]);
    expect(run).toMatchObject({ ...totals, state: 'done', skipped: 0 });
    expect(before.totals).toMatchObject({ tags_deleted: 2, tags_kept: 1, manifests_deleted: 4, manifests_kept: 1 });
    const said = before.items.filter(({ decision }) => decision === 'deleted');
    expect(new Set(await decisions(repo, id))).toEqual(new Set(said));
    const gone = [list.digest, child.manifest.digest, signature.manifest.digest, '1.0.0', 'nightly'];
    for (const each of gone) expect(await status(repo, each)).toBe(404);
    expect(await status(repo, '1.1.0')).toBe(200);

    await undo(repo, id);
    await work(id);
    expect(await runOf(repo, id)).toMatchObject({ state: 'undone', restored: 6 });
    for (const each of gone) expect(await status(repo, each)).toBe(200);
    await repo.mustPull('1.0.0');
    expect(await repo.mustTags()).toEqual(['1.0.0', '1.1.0', 'nightly']);
    // The rules come to the same again, once what came back is leased no more: tags have their age back.
    await age(0);
    expect((await preview(repo, rules)).totals).toEqual(before.totals);
  });

  it('leaves what was pushed, held, tagged, listed, signed or pulled after it was decided', async () => {
    const repo = await hub.repo();
    const names = ['moved', 'again', 'held', 'tagged', 'listed', 'signed', 'pulled', 'locked', 'plain'];
    const images = new Map(names.map((name) => [name, image()]));
    const digestOf = (name: string) => images.get(name)!.manifest.digest;
    for (const name of names) await repo.mustPushImage(images.get(name)!, name);
    await age(40);
    await set(repo, [{ keep_pulled_days: 30 }]);
    const { id } = await start(repo);
    const carryOut = await decided(hub, repo, id);

    await repo.mustPushImage(image(), 'moved');
    await repo.mustPut(images.get('again')!.manifest);
    await hub.db.query(sql`
      insert into holds (manifest_id, owner_kind, owner_id, reason)
      select manifest_id, 'app', 'shop', 'deployed' from tags where name = 'held'`);
    await repo.mustPut(images.get('tagged')!.manifest, 'other');
    await repo.mustPut(index([images.get('listed')!.manifest]), 'list');
    await repo.mustPushImage(artifact({ subject: images.get('signed')!.manifest }));
    await repo.mustPull('pulled');
    await hub.context.registry.pulls.flush();
    await hub.db.query(
      sql`update manifests set leased_until = now() where kind <> 'index' and digest <> ${bytesOf(digestOf('again'))}`,
    );
    await hub.db.transaction(async (tx) => {
      await tx.query(sql`select 1 from tags where name = 'locked' for update`);
      await carryOut();
    });

    const made = await decisions(repo, id);
    expect(made.filter(({ decision }) => decision === 'deleted').map(({ name, digest }) => name ?? digest)).toEqual([
      'plain',
      digestOf('plain'),
    ]);
    const why = (name: string) => decisionOn(made, digestOf(name)).reason;
    expect(decisionOn(made, 'moved').reason).toBe('left because it was moved meanwhile');
    expect(why('again')).toBe('left because it was pushed again');
    expect(why('held')).toBe('left because a hold was placed on it');
    expect(why('tagged')).toBe('left because it has the tag other');
    expect(why('listed')).toBe('left because an index lists it that stays');
    expect(why('signed')).toBe('left because something refers to it that was pushed meanwhile');
    expect(why('pulled')).toBe('left because it was pulled meanwhile');
    expect(decisionOn(made, 'locked').reason).toBe('left because somebody else is changing it');
    expect(await repo.mustTags()).toEqual([...names.filter((name) => name !== 'plain'), 'list', 'other'].toSorted());
    for (const name of names.filter((each) => each !== 'plain')) await repo.mustPull(name);
  });

  it('is decided anew when a tag that others had to go for is deleted', async () => {
    const repo = await hub.repo();
    for (const tag of ['a', 'b', 'c']) {
      await repo.mustPushImage(image(), tag);
      await age(1);
    }
    await set(repo, [{ keep_latest: 2 }]);
    const { id } = await start(repo);
    const carryOut = await decided(hub, repo, id);
    expect((await repo.request('DELETE', '/manifests/c')).status).toBe(202);
    expect(await carryOut()).toEqual(['changed']);
    expect(await repo.mustTags()).toEqual(['a', 'b']);
  });
});

function bytesOf(digest: string): Buffer {
  return Buffer.concat([Buffer.from([1]), Buffer.from(digest.slice(7), 'hex')]);
}
