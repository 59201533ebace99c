import { beforeAll, describe, expect, it } from 'vitest';
import { filesClient, newFiles } from '../files/harness.ts';
import { testHub } from '../harness/hub.ts';
import { trail } from '../history/harness.ts';
import { expectStatus, image, index, type Answer, type Manifest, type Repo } from '../harness/oci-client.ts';
import { chart, provenance, pushWithHelm } from '../helm/charts.ts';
import { classic } from '../helm/client.ts';

const hub = await testHub();

const other = (): Manifest => index([], { extra: { annotations: { nonce: String(Math.random()) } } });
const messageOf = (answer: Answer) => answer.json<{ errors: { code: string; message: string }[] }>().errors[0];
const projectOf = (repo: { name: string }) => repo.name.split('/')[0] as string;

async function rule(project: string, body: Record<string, unknown> = {}): Promise<string> {
  return expectStatus(await hub.api('POST', `/projects/${project}/immutability`, body), 201).json<{ id: string }>().id;
}

describe('a tag under a rule', () => {
  let repo: Repo;
  let first: Manifest;
  let id: string;
  beforeAll(async () => {
    repo = await hub.repo();
    id = await rule(projectOf(repo), { tag_glob: 'v*', tag_except: 'v-edge' });
    first = other();
    await repo.mustPut(first, 'v1');
  });

  it('is made once and never moves, and the refusal names the rule and a way out', async () => {
    const refused = await repo.putManifest(other(), 'v1');
    expect(refused.status).toBe(409);
    expect(messageOf(refused)).toMatchObject({
      code: 'DENIED',
      message: `The tag v1 is immutable (rule ${id}: tags v* except v-edge in **): it cannot point at anything else; push under another tag`,
    });
    expect((await repo.getManifest('v1')).header('Docker-Content-Digest')).toBe(first.digest);
  });

  it('may be said again', async () => {
    await repo.mustPut(first, 'v1');
    expectStatus(await repo.putManifest(first, first.digest, { tag: 'v1' }), 201);
  });

  it('takes no tag with it that moves in the same push', async () => {
    await repo.mustPut(other(), 'moving');
    const before = (await repo.headManifest('moving')).header('Docker-Content-Digest');
    const next = other();
    expect((await repo.putManifest(next, next.digest, { tag: ['moving', 'v1'] })).status).toBe(409);
    expect((await repo.headManifest('moving')).header('Docker-Content-Digest')).toBe(before);
    expect((await repo.headManifest(next.digest)).status).toBe(404);
  });

  it('comes back from deletion only as what it was', async () => {
    await repo.mustPut(first, 'v2');
    expectStatus(await repo.deleteManifest('v2'), 202);
    const refused = await repo.putManifest(other(), 'v2');
    expect(refused.status).toBe(409);
    expect(messageOf(refused)?.message).toContain(`it may only return as ${first.digest}`);
    expect(await repo.mustTags()).not.toContain('v2');
    await repo.mustPut(first, 'v2');
  });

  it('comes back as what it was also after its manifest was deleted', async () => {
    const gone = other();
    await repo.mustPut(gone, 'v3');
    expectStatus(await repo.deleteManifest(gone.digest), 202);
    expect((await repo.putManifest(other(), 'v3')).status).toBe(409);
    await repo.mustPut(gone, 'v3');
  });

  it('leaves other tags alone', async () => {
    for (const tag of ['latest', 'v-edge']) {
      await repo.mustPut(other(), tag);
      await repo.mustPut(other(), tag);
    }
  });

  it('leaves alone what cosign and clients without referrers keep in tags', async () => {
    const all = await hub.repo();
    await rule(projectOf(all));
    const name = first.digest.replace(':', '-');
    for (const tag of [name, `${name}.sig`, `${name}.att`, `${name}.sbom`]) {
      await all.mustPut(other(), tag);
      await all.mustPut(other(), tag);
    }
    await all.mustPut(other(), `${name}.sigs`);
    expect((await all.putManifest(other(), `${name}.sigs`)).status).toBe(409);
  });

  it('moves again when the rule is removed', async () => {
    const here = await hub.repo();
    const only = await rule(projectOf(here));
    await here.mustPut(other(), 'x');
    expect((await here.putManifest(other(), 'x')).status).toBe(409);
    expectStatus(await hub.api('DELETE', `/projects/${projectOf(here)}/immutability/${only}`), 204);
    await here.mustPut(other(), 'x');
  });
});

describe('a rule', () => {
  it('covers paths inside the project', async () => {
    const project = await hub.project();
    await rule(project, { path_glob: 'team-a/**' });
    const [inside, outside] = [hub.admin.repo(`${project}/team-a/x`), hub.admin.repo(`${project}/x`)];
    for (const repo of [inside, outside]) await repo.mustPut(other(), 't');
    expect((await inside.putManifest(other(), 't')).status).toBe(409);
    await outside.mustPut(other(), 't');
  });

  it('is listed, told apart by project, and made once', async () => {
    const [project, elsewhere] = [await hub.project(), await hub.project()];
    const id = await rule(project, { tag_glob: 'v*' });
    const list = (await hub.api('GET', `/projects/${project}/immutability`)).json<{ items: unknown[] }>().items;
    expect(list).toEqual([
      { id, path_glob: '**', tag_glob: 'v*', created_by: 'admin', created_at: expect.any(String) as string },
    ]);
    expect((await hub.api('POST', `/projects/${project}/immutability`, { tag_glob: 'v*' })).status).toBe(409);
    expect((await hub.api('DELETE', `/projects/${elsewhere}/immutability/${id}`)).status).toBe(404);
    expect((await hub.api('POST', `/projects/${project}/immutability`, { tag_glob: 'v/*' })).status).toBe(400);
    expect((await hub.api('POST', `/projects/${project}/immutability`, { path_glob: 'A**' })).status).toBe(400);
  });

  it('is in the audit trail', async () => {
    const project = await hub.project();
    const id = await rule(project, { tag_glob: 'v*' });
    expectStatus(await hub.api('DELETE', `/projects/${project}/immutability/${id}`), 204);
    await expect
      .poll(() => trail(hub, project, 'immutability.*'))
      .toEqual(['immutability.rule_removed', 'immutability.rule_created']);
  });
});

describe('files under a rule', () => {
  it('are added while the version is open, and neither replaced nor removed', async () => {
    const files = await newFiles(hub);
    await rule(projectOf({ name: files.repository }));
    expectStatus(await files.put('1.0', 'a', 'one'), 201);
    expectStatus(await files.put('1.0', 'b', 'two'), 201);
    const replaced = await files.put('1.0', 'a', 'other');
    expect([replaced.status, replaced.body.toString()]).toEqual([409, expect.stringContaining('is immutable (rule')]);
    expect((await files.ask('DELETE', files.at('1.0', 'a'))).status).toBe(409);
    expect((await files.put('1.0', 'a', 'one')).status, 'saying it again').toBeLessThan(300);
    expect((await files.get('1.0', 'a')).body.toString()).toBe('one');
    const properties = (value: string) =>
      files.ask('PATCH', files.at('1.0'), {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ properties: { commit: value } }),
      });
    expect((await properties('a')).status).toBeLessThan(300);
    expect((await properties('b')).status).toBe(409);
  });

  it('of a version that was pushed whole do not change at all', async () => {
    const files = await newFiles(hub);
    const from = await newFiles(hub, {});
    expectStatus(await from.put('1.0', 'a', 'one'), 201);
    const source = hub.admin.repo(from.repository);
    const pushed = expectStatus(await source.getManifest('1.0'), 200);
    const repo = hub.admin.repo(files.repository);
    for (const part of pushed.json<{ config: { digest: string }; layers: { digest: string }[] }>().layers) {
      expectStatus(await repo.mount(part.digest, from.repository), 201);
    }
    expectStatus(await repo.mount(pushed.json<{ config: { digest: string } }>().config.digest, from.repository), 201);
    const mediaType = pushed.header('Content-Type') as string;
    const digest = pushed.header('Docker-Content-Digest') as string;
    await repo.mustPut({ bytes: pushed.body, digest, mediaType, size: pushed.body.length }, '1.0');
    await rule(projectOf({ name: files.repository }));
    // Makes rows of it, and changes nothing.
    expect((await files.put('1.0', 'a', 'one')).status).toBeLessThan(300);
    expect((await files.put('1.0', 'b', 'two')).status).toBe(409);
  });

  it('of a version that was deleted come back only as they were', async () => {
    const files = await newFiles(hub);
    await rule(projectOf({ name: files.repository }));
    expectStatus(await files.put('1.0', 'a', 'one'), 201);
    expect((await hub.admin.repo(files.repository).putManifest(other(), '1.0')).status, 'nor by a push').toBe(409);
    expect((await files.ask('DELETE', files.at('1.0'))).status).toBeLessThan(300);
    const refused = await files.put('1.0', 'a', 'other');
    expect([refused.status, refused.body.toString()]).toEqual([409, expect.stringContaining('only return as')]);
    expectStatus(await files.put('1.0', 'a', 'one'), 201);
  });

  it('may be deleted with their version by who may delete', async () => {
    const files = await newFiles(hub);
    await rule(projectOf({ name: files.repository }));
    expectStatus(await files.put('1.0', 'a', 'one'), 201);
    const maintainer = await hub.person();
    const project = projectOf({ name: files.repository });
    expectStatus(
      await hub.api('PUT', `/projects/${project}/grants`, { subject: maintainer.name, role: 'maintainer' }),
      200,
    );
    const theirs = filesClient(hub, files.repository, maintainer.credentials);
    expect((await theirs.ask('DELETE', files.at('1.0'))).status).toBeLessThan(300);
  });
});

describe('a chart under a rule', () => {
  it('is replaced by neither door, forced or not, and takes no late provenance', async () => {
    const project = await hub.project();
    await rule(project);
    const charts = classic(hub, project);
    const packed = await chart({ version: '1.2.3' });
    const changed = await chart({ version: '1.2.3', files: { 'README.md': 'changed' } });
    expectStatus(await charts.upload(packed.bytes), 201);
    expectStatus(await charts.upload(packed.bytes), 201);
    const forced = await charts.upload(changed.bytes, '?force');
    expect(forced.status).toBe(409);
    expect(forced.json<{ error: string }>().error).toMatch(/^The tag 1\.2\.3 is immutable \(rule \d+: /);
    const late = await charts.form({ prov: provenance(packed) });
    expect(late.status).toBe(409);
    expect(late.json<{ error: string }>().error).toContain('is immutable');
    await expect(pushWithHelm(hub.admin.repo(`${project}/web`), changed)).rejects.toThrow(/409.*is immutable/);
    expect((await charts.index()).entries['web']?.map(({ digest }) => digest)).toEqual([packed.sha256]);
  });
});

describe('an image under a rule', () => {
  it('can be pulled after all that was tried', async () => {
    const repo = await hub.repo();
    await rule(projectOf(repo));
    const content = image();
    await repo.mustPushImage(content, 'v1');
    const next = image();
    for (const one of next.blobs) await repo.mustPush(one);
    expect((await repo.putManifest(next.manifest, 'v1')).status).toBe(409);
    await repo.mustPull('v1');
  });
});
