import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { basic, expectStatus, send, type Credentials } from '../harness/oci-client.ts';
import { filesClient, newFiles } from './harness.ts';

const hub = await testHub();

interface Share {
  readonly id: string;
  readonly url: string;
}

const api = (credentials: Credentials, method: string, path: string, body?: unknown) =>
  send(hub.origin, {
    method,
    path: `/api/v1${path}`,
    headers: { Authorization: basic(credentials), 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

/** As whoever was given the link. */
const open = (url: string, method = 'GET', body?: string) => {
  const { pathname, search } = new URL(url);
  return send(hub.origin, { method, path: pathname + search, ...(body !== undefined && { body }) });
};

const jane = await hub.person();
const project = await hub.project({ grants: { [jane.name]: 'writer' } });
const files = filesClient(hub, `${project}/tools`, jane.credentials);
await files.put('1', 'dir/a%20b.txt', 'shared');
await files.put('1', 'other', 'not shared');
const what = { repository: files.repository, version: '1', path: 'dir/a b.txt' };
const share = async (more: object = {}, as = jane.credentials) =>
  expectStatus(await api(as, 'POST', `/projects/${project}/shares`, { ...what, ...more }), 201).json<Share>();

describe('a link', () => {
  it('opens one file to whoever has it, at a URL from the configuration', async () => {
    const { url } = await share();
    expect(url.startsWith(`${hub.config.publicUrls[0]}/files/${files.repository}:1/dir/a%20b.txt?share=`)).toBe(true);
    expect(expectStatus(await open(url), 200).body.toString()).toBe('shared');
    expectStatus(await open(url, 'HEAD'), 200);
  });

  it('opens nothing else', async () => {
    const { url } = await share();
    const secret = new URL(url).search;
    const others = [
      files.at('1', 'other'),
      files.at('1'),
      files.at('1', 'dir/'),
      files.at('1', 'SHA256SUMS'),
      files.at('latest', 'dir/a%20b.txt'),
      `/files/${files.repository}/`,
      `/files/${files.repository}-x:1/dir/a%20b.txt`,
    ];
    for (const path of others) expectStatus(await send(hub.origin, { path: path + secret }), 404);
    for (const method of ['PUT', 'DELETE', 'PATCH', 'POST']) expectStatus(await open(url, method, ''), 404);
    expect((await send(hub.origin, { path: `/v2/${files.repository}/manifests/1${secret}` })).status).toBe(401);
  });

  it.each(['', 'x', 'A'.repeat(32), '../..', '%00', 'a&share=b'])(
    'with a wrong secret opens nothing: %j',
    async (secret) => {
      const answer = await send(hub.origin, { path: `${files.at('1', 'dir/a%20b.txt')}?share=${secret}` });
      expectStatus(answer, 404);
      expect(answer.body.toString()).toBe('This link has expired, was taken back, or is for something else\n');
    },
  );

  it('may take a file', async () => {
    const { url } = await share({ action: 'upload', path: 'incoming.bin' });
    expectStatus(await open(url), 404);
    expectStatus(await open(url, 'PUT', 'from outside'), 201);
    expect((await files.get('1', 'incoming.bin')).body.toString()).toBe('from outside');
  });

  it('expires', async () => {
    const { url, id } = await share({ expires_in_seconds: 60 });
    await hub.db.pool.query("update file_shares set expires_at = now() - interval '1 second' where id = $1", [id]);
    expectStatus(await open(url), 404);
  });

  it('is taken back at once, also on another replica', async () => {
    const { url, id } = await share();
    const replica = (await hub.replica()).origin;
    const there = () => send(replica, { path: new URL(url).pathname + new URL(url).search });
    expectStatus(await there(), 200);
    expectStatus(await api(jane.credentials, 'DELETE', `/projects/${project}/shares/${id}`), 204);
    expectStatus(await open(url), 404);
    expectStatus(await there(), 404);
    expectStatus(await api(jane.credentials, 'DELETE', `/projects/${project}/shares/${id}`), 404);
  });

  it('ends with the right of who made it', async () => {
    const joe = await hub.person();
    expectStatus(await hub.api('PUT', `/projects/${project}/grants`, { subject: joe.name, role: 'reader' }), 200);
    const { url } = await share({}, joe.credentials);
    expectStatus(await open(url), 200);
    expectStatus(await hub.api('PATCH', `/users/${joe.name}`, { disabled: true }), 200);
    expectStatus(await open(url), 404);
  });

  it('by digest is of that digest', async () => {
    const digest = (await hub.admin.repo(files.repository).headManifest('1')).header('Docker-Content-Digest');
    const { url } = await share({ version: digest });
    expectStatus(await open(url), 200);
    expectStatus(await open(url.replace(`@${digest}`, ':1')), 404);
  });

  it('is stored hashed, and is in no event', async () => {
    const { url } = await share();
    const secret = new URL(url).searchParams.get('share') as string;
    const { rows } = await hub.db.pool.query(
      "select coalesce(string_agg(e.data::text, ' '), '') || (select string_agg(s::text, ' ') from file_shares s) as text from events e",
    );
    expect((rows[0] as { text: string }).text).not.toContain(secret);
  });
});

describe('who may share', () => {
  it('is who may do it', async () => {
    const [reader, nobody] = [await hub.person(), await hub.person()];
    await hub.api('PUT', `/projects/${project}/grants`, { subject: reader.name, role: 'reader' });
    const make = (as: Credentials, more: object = {}) =>
      api(as, 'POST', `/projects/${project}/shares`, { ...what, ...more });
    expectStatus(await make(reader.credentials), 201);
    expectStatus(await make(reader.credentials, { action: 'upload' }), 404);
    expectStatus(await make(nobody.credentials), 404);
    const anonymous = await send(hub.origin, { method: 'POST', path: `/api/v1/projects/${project}/shares` });
    expectStatus(anonymous, 401);
  });

  it('names a file that is there, in the project', async () => {
    const elsewhere = await newFiles(hub);
    await elsewhere.put('1', 'a', 'A');
    const make = (more: object) => hub.api('POST', `/projects/${project}/shares`, { ...what, ...more });
    expectStatus(await make({ repository: elsewhere.repository, path: 'a' }), 404);
    expectStatus(await make({ path: 'nothing' }), 404);
    expectStatus(await make({ version: '9' }), 404);
    expectStatus(await make({ version: '^1' }), 400);
    expectStatus(await make({ path: '../x' }), 400);
    expectStatus(await make({ repository: 'NO' }), 400);
    expectStatus(await make({ expires_in_seconds: 31 * 86_400 }), 400);
    expectStatus(await make({ expires_in_seconds: 1 }), 400);
  });

  it('sees their own, and an owner everyone’s', async () => {
    const joe = await hub.person();
    await hub.api('PUT', `/projects/${project}/grants`, { subject: joe.name, role: 'reader' });
    const { id } = await share({}, joe.credentials);
    const list = async (as: Credentials) =>
      (await api(as, 'GET', `/projects/${project}/shares`)).json<{
        items: { id: string; created_by: string; url?: string }[];
      }>().items;
    const his = await list(joe.credentials);
    expect(his.map((item) => [item.id, item.created_by, item.url])).toEqual([[id, joe.name, undefined]]);
    expect((await list(hub.adminCredentials)).length).toBeGreaterThan(1);
    expectStatus(await api(jane.credentials, 'DELETE', `/projects/${project}/shares/${id}`), 404);
    expectStatus(await hub.api('DELETE', `/projects/${project}/shares/${id}`), 204);
  });

  it('does not outlive the token it was made with', async () => {
    const { id, token } = (
      await api(jane.credentials, 'POST', '/me/tokens', { name: 'ci', actions: ['pull'], expires_in_days: 1 })
    ).json<{ id: string; token: string }>();
    const made = expectStatus(
      await api({ username: jane.name, password: token }, 'POST', `/projects/${project}/shares`, {
        ...what,
        expires_in_seconds: 30 * 86_400,
      }),
      201,
    ).json<Share & { expires_at: string }>();
    expect(Date.parse(made.expires_at)).toBeLessThan(Date.now() + 25 * 3_600_000);
    const another = await share();
    expectStatus(await open(made.url), 200);
    expectStatus(await api(jane.credentials, 'DELETE', `/me/tokens/${id}`), 204);
    expectStatus(await open(made.url), 404);
    expectStatus(await open(another.url), 200);
    const listed = (await hub.api('GET', `/projects/${project}/shares?limit=1000`)).body.toString();
    expect([listed.includes(`"${another.id}"`), listed.includes(`"${made.id}"`)]).toEqual([true, false]);
  });
});
