/** What the audit trail says about changes and denied attempts, and to whom it says it. */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/auth/audit.ts';
import { testHub } from '../harness/hub.ts';
import { basic, expectStatus, image, index, send, unique, type Credentials } from '../harness/oci-client.ts';

const hub = await testHub();

/** Entries that match, newest first. */
async function trail(query: Record<string, string>, as: Credentials = hub.adminCredentials, project?: string) {
  await hub.context.denials.flush();
  const path = project === undefined ? '/audit' : `/projects/${project}/audit`;
  const answer = await send(hub.origin, {
    path: `/api/v1${path}?${new URLSearchParams({ limit: '1000', ...query }).toString()}`,
    headers: { Authorization: basic(as) },
  });
  return expectStatus(answer, 200).json<{ items: AuditEntry[] }>().items;
}

/** The outbox is read below the oldest open transaction, which may be another test's on the same server. */
async function eventually(query: Record<string, string>, atLeast = 1): Promise<AuditEntry[]> {
  for (;;) {
    const entries = await trail(query);
    if (entries.length >= atLeast) return entries;
    await delay(20);
  }
}

describe('a change', () => {
  it('is there with who, from where, by which right, what before and after', async () => {
    const jane = await hub.person();
    const project = await hub.project({ grants: { [jane.name]: 'writer' } });
    const repo = jane.client.repo(`${project}/app`);
    const [first, second] = [image(), image()];
    await repo.mustPushImage(first, 'v1');
    await repo.mustPushImage(second, 'v1');
    const [entry] = await eventually({ project, action: 'manifest.pushed' }, 2);
    expect(entry).toMatchObject({
      action: 'manifest.pushed',
      decision: 'allow',
      reason: expect.stringMatching(new RegExp(`^grant \\d+: user:${jane.name} is writer of \\*\\*$`)),
      principal: { type: 'user', name: jane.name },
      credential: 'registry_token',
      address: '127.0.0.1',
      request_id: expect.any(String),
      route: 'end-7',
      project,
      repository: `${project}/app`,
      reference: second.manifest.digest,
      data: { digest: second.manifest.digest, tags: ['v1'], before: { v1: first.manifest.digest } },
      count: 1,
    });
    expect((await eventually({ project, action: 'blob.*' }, 4))[0]).toMatchObject({
      action: 'blob.pushed',
      credential: 'registry_token',
      principal: { name: jane.name },
    });
  });

  it('of a tag says which right on the tag it was', async () => {
    const jane = await hub.person();
    const project = await hub.project();
    for (const grant of [
      { role: 'writer', tag_glob: 'dev-*' },
      { role: 'writer', tag_glob: 'v*', create_only: true },
    ]) {
      const body = { subject: jane.name, ...grant };
      expectStatus(await hub.api('PUT', `/projects/${project}/grants`, body), 200);
    }
    await jane.client.repo(`${project}/app`).mustPut(index([]), 'v1');
    const [entry] = await eventually({ project, action: 'manifest.pushed' });
    expect(entry!.reason).toMatch(/tags v\* \(create only\)$/);
  });

  it('made through the API names the subject and the change', async () => {
    const project = await hub.project();
    const jane = await hub.person();
    const put = (role: string) => hub.api('PUT', `/projects/${project}/grants`, { subject: jane.name, role });
    expectStatus(await put('reader'), 200);
    expectStatus(await put('owner'), 200);
    const [entry] = await eventually({ project, action: 'grant.set' }, 2);
    expect(entry).toMatchObject({
      principal: { type: 'user', name: 'admin' },
      credential: 'password',
      route: 'api-grant-set',
      reason: 'administrator',
      project,
      data: { subject: jane.name, role: 'owner', before: { role: 'reader' } },
    });
  });

  it('stays readable when its project is gone, under the name that it had', async () => {
    const project = await hub.project();
    expectStatus(await hub.api('DELETE', `/projects/${project}`), 204);
    const entries = await eventually({ project, action: 'project.*' }, 2);
    expect(entries.map(({ action }) => action)).toEqual(['project.deleted', 'project.created']);
  });
});

describe('a denied attempt', () => {
  it('is there with what was wanted and why not', async () => {
    const [project, joe] = [await hub.project(), await hub.person()];
    await hub.admin.repo(`${project}/app`).mustPut(index([]), 'v1');
    const headers = { Authorization: basic(joe.credentials) };
    expectStatus(await send(hub.origin, { path: `/v2/${project}/app/manifests/v1`, headers }), 404);
    expectStatus(await send(hub.origin, { method: 'DELETE', path: `/v2/${project}/app/manifests/v1`, headers }), 403);
    expectStatus(await send(hub.origin, { path: `/api/v1/projects/${project}`, headers }), 404);
    expectStatus(await send(hub.origin, { path: '/api/v1/users', headers }), 403);
    const entries = await trail({ principal: joe.name, decision: 'deny' });
    const common = { principal: { type: 'user', name: joe.name }, credential: 'password', address: '127.0.0.1' };
    expect(entries.toReversed()).toMatchObject([
      {
        ...common,
        action: 'pull',
        reason: 'no grant allows pull',
        route: 'end-3',
        project,
        repository: `${project}/app`,
        reference: 'v1',
      },
      { ...common, action: 'delete', reason: 'no grant allows delete', route: 'end-9', repository: `${project}/app` },
      { ...common, action: 'see', reason: 'no grant in the project', route: 'api-project', project },
      { ...common, action: 'api-users', reason: 'not for this principal' },
    ]);
  });

  it('on a tag says which rule was missing', async () => {
    const [project, jane] = [await hub.project(), await hub.person()];
    const body = { subject: jane.name, role: 'writer', create_only: true };
    expectStatus(await hub.api('PUT', `/projects/${project}/grants`, body), 200);
    const repo = jane.client.repo(`${project}/app`);
    await repo.mustPut(index([]), 'v1');
    expectStatus(await repo.putManifest(index([], { extra: { annotations: { a: 'b' } } }), 'v1'), 403);
    expect(await trail({ principal: jane.name, decision: 'deny' })).toMatchObject([
      { action: 'push', reason: 'no grant allows push', route: 'end-7', reference: 'v1' },
    ]);
  });

  it('to sign in names the account only if there is one, and never the password', async () => {
    const jane = await hub.person();
    const secret = unique('hunter2');
    const since = new Date().toISOString();
    for (const username of [jane.name, secret]) {
      const headers = { Authorization: basic({ username, password: secret }) };
      expectStatus(await send(hub.origin, { path: '/v2/', headers }), 401);
    }
    const entries = await trail({ action: 'sign-in', since });
    expect(entries.map(({ principal }) => principal?.name)).toEqual([undefined, jane.name]);
    expect(entries[0]).toMatchObject({ decision: 'deny', reason: 'the credentials are not valid', route: 'end-1/' });
    expect(JSON.stringify(entries)).not.toContain(secret);
  });

  it('is no challenge: who shows nothing, or asks for a wider token, has not been denied', async () => {
    const [project, jane] = [await hub.project(), await hub.person()];
    const since = new Date().toISOString();
    expectStatus(await send(hub.origin, { path: '/v2/' }), 401);
    expectStatus(await send(hub.origin, { path: `/v2/${project}/app/manifests/v1` }), 401);
    expectStatus(await send(hub.origin, { path: '/api/v1/me' }), 401);
    expectStatus(await hub.anonymous.request('GET', `/v2/${project}/app/manifests/v1`), 401);
    expectStatus(await hub.api('PUT', `/projects/${project}/grants`, { subject: jane.name, role: 'writer' }), 200);
    const repo = jane.client.repo(`${project}/app`);
    expectStatus(await repo.request('POST', '/blobs/uploads/', { scopes: [`repository:${repo.name}:pull`] }), 202);
    expect(await trail({ decision: 'deny', since })).toEqual([]);
  });

  it('is there whatever was named, and keeps back none that come after', async () => {
    const [joe, ann] = [await hub.person(), await hub.person()];
    const named = `${'a'.repeat(299)}\u{1f600}`;
    for (const [person, path] of [
      [joe, `/api/v1/users/${encodeURIComponent(named)}`],
      [ann, '/api/v1/users'],
    ] as const) {
      expectStatus(await send(hub.origin, { path, headers: { Authorization: basic(person.credentials) } }), 403);
      await hub.context.denials.flush();
    }
    const [entry] = await trail({ principal: joe.name, decision: 'deny' });
    expect(entry!.reference).toBe(`${'a'.repeat(299)}\ufffd`);
    expect(await trail({ principal: ann.name, decision: 'deny' })).toHaveLength(1);
  });

  it('that is repeated is counted, not written each time', async () => {
    const joe = await hub.person();
    const headers = { Authorization: basic(joe.credentials) };
    for (let i = 0; i < 50; i++) expectStatus(await send(hub.origin, { path: '/api/v1/users', headers }), 403);
    await hub.context.denials.flush();
    expect(await trail({ principal: joe.name, decision: 'deny' })).toMatchObject([{ count: 1 }]);
  });
});

describe('who reads it', () => {
  it('administrators all, owners their project, others nothing', async () => {
    const [jane, joe] = [await hub.person(), await hub.person()];
    const mine = await hub.project({ grants: { [jane.name]: 'owner', [joe.name]: 'maintainer' } });
    const other = await hub.project();
    await eventually({ project: mine }, 1);
    const seen = await trail({}, jane.credentials, mine);
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen.map(({ project }) => project))).toEqual(new Set([mine]));
    for (const path of ['/audit', '/audit/export', `/projects/${mine}/audit`, `/projects/${mine}/audit/export`]) {
      const read = (person: Credentials) =>
        send(hub.origin, { path: `/api/v1${path}`, headers: { Authorization: basic(person) } });
      expect((await read(joe.credentials)).status, path).toBe(403);
      expect((await read(jane.credentials)).status, path).toBe(path.startsWith('/audit') ? 403 : 200);
    }
    for (const end of ['', '/export']) {
      const path = `/api/v1/projects/${other}/audit${end}`;
      expectStatus(await send(hub.origin, { path, headers: { Authorization: basic(jane.credentials) } }), 404);
    }
  });

  it('in pages that are complete, by time, action and decision', async () => {
    const project = await hub.project();
    for (let i = 0; i < 7; i++) {
      expectStatus(await hub.api('PATCH', `/projects/${project}`, { allow_sparse: i % 2 === 0 }), 200);
    }
    const all = await eventually({ project }, 8);
    const paged: AuditEntry[] = [];
    for (let cursor = ''; ;) {
      const { body } = await hub.api('GET', `/audit?project=${project}&limit=3${cursor}`);
      const page = JSON.parse(body.toString()) as { items: AuditEntry[]; next_cursor?: string };
      paged.push(...page.items);
      if (page.next_cursor === undefined) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(paged).toEqual(all);
    const middle = all[4]!.at;
    expect(await trail({ project, since: middle })).toEqual(all.slice(0, 5));
    expect(await trail({ project, until: middle })).toEqual(all.slice(5));
    expect((await trail({ project, action: 'project.created' })).length).toBe(1);
    expect((await trail({ project, action: 'project.*' })).length).toBe(all.length);
    expect(await trail({ project, decision: 'deny' })).toEqual([]);
    for (const query of ['cursor=MTIz', 'cursor=IjEi', 'since=yesterday', 'decision=maybe', 'x=1']) {
      expect((await hub.api('GET', `/audit?${query}`)).status, query).toBe(400);
    }
  });

  it('as lines that can be checked with what docs/access.md says, and nothing else', async () => {
    await eventually({}, 1);
    const { status, body, headers } = await hub.api('GET', '/audit/export');
    expect([status, headers['content-type']]).toEqual([200, 'application/jsonl']);
    const page = await readFile(new URL('../../docs/access.md', import.meta.url), 'utf8');
    const script = /node -e '\n(.+?)' < trail\.jsonl/s.exec(page)![1]!;
    const check = (input: string | Buffer) =>
      spawnSync(process.execPath, ['-e', script], { input, encoding: 'utf8' }).stdout.trim();
    const lines = body.toString().trimEnd().split('\n');
    expect(check(body)).toBe(`${lines.length} rows fit`);
    expect(check(body.toString().replace('"decision":"allow"', '"decision":"deny"'))).toMatch(/^row \d+ does not fit$/);
  });
});
