/** Who is told what: filters, and the rights of whoever a hook belongs to. */
import sql from 'sql-template-tag';
import { describe, expect, test } from 'vitest';
import { testHub, type Person } from '../harness/hub.ts';
import { basic, expectStatus, image, index, send, unique } from '../harness/oci-client.ts';
import { receiver, webhooksOf, type CloudEvent, type Hook } from './harness.ts';

const hub = await testHub();
const { as, hook, deliveries, shown, settle, later } = webhooksOf(hub);

/** Types of what came, without the prefix, each with the subject's last part. */
function told(events: readonly { readonly event: CloudEvent }[]): string[] {
  return events.map(
    ({ event }) => `${event.type.slice('dev.berth.'.length)} ${event.subject?.split('/').at(-1) ?? ''}`,
  );
}

/** A hook that belongs to this person, who is given the project for as long as that takes. */
async function hookOf(person: Person, project: string, url: string, more: Record<string, unknown> = {}) {
  const made = await hook(project, url, { types: ['*'], ...more });
  const grant = expectStatus(
    await hub.api('PUT', `/projects/${project}/grants`, { subject: person.name, role: 'owner' }),
    200,
  ).json<{ id: string }>();
  const types = (more['types'] as string[] | undefined) ?? ['*'];
  expectStatus(await as(person.credentials, 'PATCH', made.at, { types }), 200);
  const leave = async () => expectStatus(await hub.api('DELETE', `/projects/${project}/grants/${grant.id}`), 204);
  return { made, leave };
}

describe('a filter', () => {
  test.each([
    [{ types: ['tag.*'] }, ['tag.deleted api:v1']],
    [{ types: ['manifest.pushed'], path_glob: 'web/**' }, ['manifest.pushed api:v1', 'manifest.pushed api:v2']],
    [{ types: ['manifest.pushed'], path_glob: '*' }, ['manifest.pushed tools:v1']],
    [{ types: ['manifest.*', 'tag.*'], tag_glob: '*2' }, ['manifest.pushed api:v2']],
    [{ types: ['*'], kinds: ['index'] }, ['manifest.pushed tools:v1']],
    [{ types: ['*'], kinds: ['image'], tag_glob: 'v1' }, ['manifest.pushed api:v1', 'tag.deleted api:v1']],
    [{ types: ['dev.berth.manifest.pushed'.slice(10)], path_glob: 'nothing' }, []],
    [{ types: ['manifest.push', 'anifest.pushed', 'project.*'], tag_glob: '*' }, []],
  ])('%j lets through %j', async (filter, expected) => {
    const project = await hub.project();
    const at = await receiver();
    await hook(project, at.url, filter);
    // Another project's hook with the same filter hears nothing.
    const other = await receiver();
    const elsewhere = await hook(await hub.project(), other.url, filter);
    const api = hub.admin.repo(`${project}/web/api`);
    await api.mustPushImage(image(), 'v1');
    await api.mustPushImage(image(), 'v2');
    await hub.admin.repo(`${project}/tools`).mustPut(index([]), 'v1');
    expectStatus(await api.deleteManifest('v1'), 202);
    await settle();
    expect(told(at.received).sort()).toEqual(expected);
    expect(other.received).toEqual([]);
    expect(await shown<object>(elsewhere)).not.toHaveProperty('withheld');
  });

  test.each([
    [{ types: [] }],
    [{ types: ['manifest pushed'] }],
    [{ types: ['Manifest.*'] }],
    [{ types: ['*'], path_glob: 'a//b' }],
    [{ types: ['*'], path_glob: '/a' }],
    [{ types: ['*'], tag_glob: 'a/b' }],
    [{ types: ['*'], kinds: ['none'] }],
    [{ types: ['*'], none: 1 }],
  ])('%j is none', async (filter) => {
    const project = await hub.project();
    const answer = await hub.api('POST', `/projects/${project}/webhooks`, { url: 'https://x.example.com/', ...filter });
    expectStatus(answer, 400);
  });
});

describe('an owner', () => {
  test('who may only pull from one path is told of that alone, and nothing that is for owners', async () => {
    const jane = await hub.person();
    const project = await hub.project();
    const at = await receiver();
    const { made, leave } = await hookOf(jane, project, at.url);
    await leave();
    const grant = { subject: jane.name, role: 'reader', path_glob: 'web/**' };
    const moved = { repository: 'secret/api', before: { path: 'secret/api' }, after: { path: 'x' }, reason: 'secret' };
    expectStatus(await hub.api('PUT', `/projects/${project}/grants`, grant), 200);
    at.received.length = 0;
    await hub.admin.repo(`${project}/web/api`).mustPushImage(image(), 'v1');
    await hub.admin.repo(`${project}/secret`).mustPushImage(image(), 'v1');
    await hub.db.query(sql`
      insert into events (type, project_id, repository_id, data)
      select 'dev.berth.repository.moved', r.project_id, r.id, ${JSON.stringify(moved)}::jsonb
      from repositories r join projects p on p.id = r.project_id where p.name = ${project} and r.path like '%/web/api'`);
    await settle();
    const events = told(at.received);
    expect(events).toContain('manifest.pushed api:v1');
    // Its name in a project that the owner does not see is not for them.
    expect(events).toContain('repository.moved api');
    expect(events.filter((event) => /secret|grant|webhook|project/.test(event))).toEqual([]);
    for (const { body } of at.received) expect(body).not.toMatch(/secret|"actor"|admin/);
    expect(await shown(made)).toMatchObject({
      owner: jane.name,
      withheld: { count: expect.any(Number), reason: expect.stringMatching(/may not see/) },
    });
  });

  test('who loses the right is not even sent what waits', async () => {
    const jane = await hub.person();
    const project = await hub.project();
    const at = await receiver();
    const { made, leave } = await hookOf(jane, project, at.url, { types: ['manifest.pushed'] });
    at.answer = (response) => void response.writeHead(500).end();
    await hub.admin.repo(`${project}/app`).mustPushImage(image(), 'v1');
    await settle();
    expect(at.received).toHaveLength(1);
    await leave();
    await later(made);
    await settle();
    await hub.admin.repo(`${project}/app`).mustPushImage(image(), 'v2');
    await settle();
    expect(at.received).toHaveLength(1);
    expect(await deliveries(made)).toMatchObject([{ state: 'dropped', error: expect.stringMatching(/may not see/) }]);
    // Nor when somebody asks for it again.
    const [gone] = await deliveries(made);
    expectStatus(await hub.api('POST', `${made.at}/deliveries/${gone!.id}/redeliver`), 200);
    await settle();
    expect(at.received).toHaveLength(1);
    // Nor what was made for an owner of the project, if only the right to pull is left.
    expectStatus(await hub.api('PUT', `/projects/${project}/grants`, { subject: jane.name, role: 'reader' }), 200);
    expectStatus(await hub.api('POST', `${made.at}/deliveries/${gone!.id}/redeliver`), 200);
    await settle();
    expect(at.received).toHaveLength(1);
    expect(await deliveries(made)).toMatchObject([{ state: 'dropped' }]);
  });

  test('who is disabled is told nothing, and the hook says why until somebody takes it over', async () => {
    const jane = await hub.person();
    const project = await hub.project();
    const at = await receiver();
    const { made } = await hookOf(jane, project, at.url, { types: ['manifest.pushed'] });
    expectStatus(await hub.api('PATCH', `/users/${jane.name}`, { disabled: true }), 200);
    const app = hub.admin.repo(`${project}/app`);
    await app.mustPushImage(image(), 'v1');
    await settle();
    expect(at.received).toEqual([]);
    expect(await shown(made)).toMatchObject({ withheld: { count: 1, reason: expect.stringMatching(/disabled/) } });
    expectStatus(await hub.api('PATCH', made.at, { types: ['manifest.pushed'] }), 200);
    await app.mustPushImage(image(), 'v2');
    await settle();
    expect(told(at.received)).toEqual(['manifest.pushed app:v2']);
    expect(await shown(made)).toMatchObject({ owner: 'admin' });
  });

  test('who is gone is told nothing', async () => {
    const project = await hub.project();
    const at = await receiver();
    expectStatus(await hub.api('POST', `/projects/${project}/robots`, { name: 'deployer' }), 201);
    const account = `robot-${project}-deployer`;
    const grant = { subject: account, subject_type: 'robot', role: 'owner' };
    expectStatus(await hub.api('PUT', `/projects/${project}/grants`, grant), 200);
    const token = expectStatus(
      await hub.api('POST', `/projects/${project}/robots/deployer/tokens`, { name: 'x', actions: ['admin', 'pull'] }),
      201,
    ).json<{ token: string }>().token;
    const made = await hook(project, at.url, { types: ['manifest.*'] });
    const robot = { username: account, password: token };
    expectStatus(await as(robot, 'PATCH', made.at, { tag_glob: 'v*' }), 200);
    await hub.admin.repo(`${project}/app`).mustPushImage(image(), 'v1');
    await settle();
    expect(told(at.received)).toEqual(['manifest.pushed app:v1']);
    expectStatus(await hub.api('DELETE', `/projects/${project}/robots/deployer`), 204);
    await hub.admin.repo(`${project}/app`).mustPushImage(image(), 'v2');
    await settle();
    expect(at.received).toHaveLength(1);
    expect(await shown(made)).toMatchObject({ withheld: { count: 1, reason: expect.stringMatching(/is gone/) } });
  });

  test('who set it up with a token is told no more than the token may', async () => {
    const project = await hub.project();
    const at = await receiver();
    const token = async (limits: object) =>
      expectStatus(
        await hub.api('POST', '/me/tokens', { name: unique('token-'), actions: ['admin'], ...limits }),
        201,
      ).json<{ token: string }>().token;
    const made = await hook(project, at.url, { types: ['manifest.*'] });
    const patch = async (limits: object) =>
      expectStatus(
        await as({ username: '', password: await token(limits) }, 'PATCH', made.at, { types: ['manifest.*'] }),
        200,
      );
    await patch({ actions: ['admin', 'pull'], paths: [project, `${project}/web/**`] });
    await hub.admin.repo(`${project}/web`).mustPushImage(image(), 'v1');
    await hub.admin.repo(`${project}/other`).mustPushImage(image(), 'v1');
    await settle();
    expect(told(at.received)).toEqual(['manifest.pushed web:v1']);
    // A token that may not see is refused already where the hook would show.
    const blind = { username: '', password: await token({ actions: ['admin'] }) };
    expectStatus(await as(blind, 'PATCH', made.at, { types: ['manifest.*'] }), 404);
  });
});

describe('a hook of the hub', () => {
  test('belongs to administrators and is told of everything, until its owner is none', async () => {
    const boss = await hub.person();
    expectStatus(await hub.api('PATCH', `/users/${boss.name}`, { admin: true }), 200);
    const at = await receiver();
    const made: Hook = await hook(undefined, at.url, { types: ['project.created', 'user.*'] });
    expectStatus(await as(boss.credentials, 'PATCH', made.at, { types: ['project.created', 'user.created'] }), 200);
    const [project, jane] = [await hub.project(), await hub.person()];
    await settle();
    expect(told(at.received).sort()).toEqual([`project.created ${project}`, 'user.created ']);
    const user = at.received.find(({ event }) => event.type === 'dev.berth.user.created');
    expect(user!.event.data).toMatchObject({ user: jane.name });
    expectStatus(await hub.api('PATCH', `/users/${boss.name}`, { admin: false }), 200);
    await hub.project({ visibility: 'public' });
    await settle();
    expect(at.received).toHaveLength(2);
    expect(await shown(made)).toMatchObject({ withheld: { reason: expect.stringMatching(/administrator/) } });
    expectStatus(await hub.api('DELETE', made.at), 204);
    expectStatus(await as(jane.credentials, 'GET', '/webhooks'), 403);
    expectStatus(await as(jane.credentials, 'POST', '/webhooks', { url: 'https://x.example.com/', types: ['*'] }), 403);
  });
});

describe('a hook', () => {
  test('is of its project alone, and does not show elsewhere', async () => {
    const jane = await hub.person();
    const [mine, theirs] = [await hub.project({ grants: { [jane.name]: 'owner' } }), await hub.project()];
    const made = await hook(theirs, 'http://127.0.0.1:9999/');
    const calls = [
      ['GET', `/projects/${theirs}/webhooks`, 404],
      ['GET', made.at, 404],
      ['GET', `/projects/${mine}/webhooks/${made.id}`, 404],
      ['PATCH', `/projects/${mine}/webhooks/${made.id}`, 404],
      ['DELETE', `/projects/${mine}/webhooks/${made.id}`, 404],
      ['POST', `/projects/${mine}/webhooks/${made.id}/rotate-secret`, 404],
      ['POST', `/projects/${mine}/webhooks/${made.id}/test`, 404],
      ['GET', `/projects/${mine}/webhooks/${made.id}/deliveries`, 404],
    ] as const;
    for (const [method, path, status] of calls) {
      const answer = await as(jane.credentials, method, path, method === 'PATCH' ? { description: 'x' } : undefined);
      expect(answer.status, `${method} ${path}`).toBe(status);
    }
    const reader = await hub.person();
    expectStatus(await hub.api('PUT', `/projects/${mine}/grants`, { subject: reader.name, role: 'maintainer' }), 200);
    expectStatus(await as(reader.credentials, 'GET', `/projects/${mine}/webhooks`), 403);
  });

  test('is changed only as it was read, and is in the audit trail without its URL’s path', async () => {
    const project = await hub.project();
    const made = await hook(project, 'http://127.0.0.1:9999/services/T0/very-secret-token');
    const stale = '"sha256-none"';
    const refused = await send(hub.origin, {
      method: 'PATCH',
      path: `/api/v1${made.at}`,
      headers: { Authorization: basic(hub.adminCredentials), 'If-Match': stale, 'Content-Type': 'application/json' },
      body: JSON.stringify({ description: 'new' }),
    });
    expectStatus(refused, 412);
    expectStatus(await hub.api('PATCH', made.at, { description: 'new' }), 200);
    expectStatus(await hub.api('POST', `${made.at}/rotate-secret`), 201);
    expectStatus(await hub.api('DELETE', made.at), 204);
    for (;;) {
      const text = (await hub.api('GET', `/projects/${project}/audit?action=webhook.*`)).body.toString();
      if (!['created', 'changed', 'secret-rotated', 'removed'].every((each) => text.includes(`"webhook.${each}"`)))
        continue;
      expect(text).not.toContain('very-secret-token');
      expect(text).toContain('http://127.0.0.1:9999');
      break;
    }
  });

  test('goes with its project', async () => {
    const project = await hub.project();
    const made = await hook(project, 'http://127.0.0.1:9999/');
    expectStatus(await hub.api('POST', `${made.at}/test`), 201);
    expectStatus(await hub.api('DELETE', `/projects/${project}`), 204);
    expectStatus(await hub.api('GET', made.at), 404);
  });
});
