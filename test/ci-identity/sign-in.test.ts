import sql from 'sql-template-tag';
import { describe, expect, test, vi } from 'vitest';
import { pruneCiSessions } from '../../src/auth/ci-sessions.ts';
import { testHub } from '../harness/hub.ts';
import { basic, expectStatus, image, OciClient, send, type Answer } from '../harness/oci-client.ts';
import { chart } from '../helm/charts.ts';
import { register, testIssuer, trust } from './issuer.ts';

const hub = await testHub();
const replica = await hub.replica();
const issuer = await testIssuer();
const issuerName = await register(hub, issuer);
const project = await hub.project();
const rule = await trust(hub, issuerName, project);
const second = await testIssuer();
const secondName = await register(hub, second);

const bearer = (token: string) => `Bearer ${token}`;
const password = (token: string, username = 'ci') => basic({ username, password: token });

function ask(path: string, authorization: string, more: { method?: string; body?: Buffer; origin?: string } = {}) {
  return send(more.origin ?? hub.origin, {
    path,
    method: more.method ?? 'GET',
    headers: { Authorization: authorization },
    ...(more.body && { body: more.body }),
  });
}

const me = (authorization: string, origin = hub.origin): Promise<Answer> =>
  ask('/api/v1/me', authorization, { origin });

async function sessions(of = project) {
  const answer = expectStatus(await hub.api('GET', `/projects/${of}/ci-sessions`), 200);
  return answer.json<{ items: { id: string; rule: string; claims: Record<string, unknown>; revoked_at?: string }[] }>()
    .items;
}

/** How often the trail says that it was opened. */
async function openings(id: string): Promise<number> {
  const row = await hub.db.first<{ n: number }>(sql`
    select count(*)::int as n from events where type = 'dev.berth.ci.session_opened' and data ->> 'session' = ${id}`);
  return row!.n;
}

describe('the token of a build is the password', () => {
  test.each(['basic', 'bearer'] as const)('of every door, as %s', async (scheme) => {
    const token = await issuer.token();
    const authorization = scheme === 'basic' ? password(token) : bearer(token);
    expect(expectStatus(await me(authorization), 200).json()).toEqual({
      name: rule.subject,
      kind: 'ci_session',
      admin: false,
      credential: 'ci',
      actions: ['pull', 'push', 'delete'],
      expires_at: expect.any(String),
    });
    const { bytes } = await chart({ name: `web-${scheme}` });
    const file = `/files/${project}/pack-${scheme}:1.0/x.txt`;
    expectStatus(await ask(`/charts/${project}/api/charts`, authorization, { method: 'POST', body: bytes }), 201);
    expectStatus(await ask(`/charts/${project}/index.yaml`, authorization), 200);
    expectStatus(await ask(file, authorization, { method: 'PUT', body: Buffer.from('x') }), 201);
    expect(expectStatus(await ask(file, authorization), 200).body.toString()).toBe('x');
    expectStatus(await ask(`/v2/${project}/pack-${scheme}/tags/list`, authorization), 200);
    const scope = `repository:${project}/app:pull,push`;
    const exchanged = await ask(`/auth/token?scope=${scope}`, authorization);
    const jwt = expectStatus(exchanged, 200).json<{ token: string }>().token;
    expectStatus(await ask(`/v2/${project}/pack-${scheme}/tags/list`, bearer(jwt)), 401);
    expectStatus(await ask(`/v2/${project}/app/blobs/uploads/`, bearer(jwt), { method: 'POST' }), 202);
    expect((await sessions()).length).toBe(scheme === 'basic' ? 1 : 2);
    await hub.db.query(sql`delete from uploads`);
  });

  test('and docker pushes and pulls with it', async () => {
    const client = hub.client({ username: 'ci', password: await issuer.token() });
    const repo = client.repo(`${project}/pushed`);
    const pushed = image();
    await repo.mustPushImage(pushed, 'v1');
    await repo.mustPull('v1');
  });

  test('and gives no more than the grants of its rule', async () => {
    const other = await hub.project();
    const bare = await trust(hub, issuerName, other, {}, 'none');
    const token = password(await issuer.token(), bare.subject);
    expectStatus(await ask(`/v2/${other}/app/tags/list`, token), 404);
    expectStatus(await ask(`/api/v1/projects/${other}`, token), 404);
    await hub.api('PUT', `/projects/${other}/grants`, {
      subject: bare.subject,
      subject_type: 'trust_rule',
      role: 'owner',
      path_glob: '**',
    });
    expectStatus(await ask(`/api/v1/projects/${other}`, token), 200);
    // Never more than to move artifacts, whatever was granted.
    expectStatus(await ask(`/api/v1/projects/${other}/grants`, token), 403);
    expectStatus(await ask(`/api/v1/projects/${other}/trust-rules`, token), 403);
    expectStatus(await ask(`/api/v1/issuers`, token), 403);
    const json = { Authorization: token, 'Content-Type': 'application/json' };
    for (const [path, body] of [
      ['/me/tokens', { name: 't' }],
      [`/projects/${other}/robots`, { name: 'r' }],
      ['/projects', { name: 'made-by-ci' }],
    ] as const) {
      const answer = await send(hub.origin, {
        method: 'POST',
        path: `/api/v1${path}`,
        headers: json,
        body: JSON.stringify(body),
      });
      expect([path, answer.status]).toEqual([path, 403]);
    }
    expectStatus(await ask('/v2/nothere/app/blobs/uploads/', token, { method: 'POST' }), 403);
  });
});

describe('a session', () => {
  test('is one for each token, however often and wherever it is sent at once', async () => {
    const before = (await sessions()).length;
    const token = await issuer.token();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => me(password(token, `u${i}`), i % 2 ? replica.origin : hub.origin)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    const all = await sessions();
    expect(all).toHaveLength(before + 1);
    expect(await openings(all[0]!.id)).toBe(1);
  });

  test('that is revoked ends at once, everywhere, with registry tokens, and its token opens none again', async () => {
    const token = await issuer.token();
    const [one, two] = [password(token), bearer(token)];
    expectStatus(await me(one), 200);
    expectStatus(await me(two, replica.origin), 200);
    const scope = `repository:${project}/app:push`;
    const { token: jwt } = (await ask(`/auth/token?scope=${scope}`, one)).json<{ token: string }>();
    const path = `/v2/${project}/app/blobs/uploads/`;
    expectStatus(await ask(path, bearer(jwt), { method: 'POST' }), 202);
    const [newest] = await sessions();
    expectStatus(await hub.api('DELETE', `/projects/${project}/ci-sessions/${newest!.id}`), 204);
    for (const origin of [hub.origin, replica.origin]) {
      expectStatus(await me(one, origin), 401);
      expectStatus(await me(two, origin), 401);
      expectStatus(await me(password(token, 'else'), origin), 401);
      expectStatus(await ask(path, bearer(jwt), { method: 'POST', origin }), 401);
    }
    expect((await sessions())[0]).toMatchObject({ id: newest!.id, revoked_at: expect.any(String) });
    expectStatus(await hub.api('DELETE', `/projects/${project}/ci-sessions/${newest!.id}`), 404);
    await hub.db.query(sql`update principals set expires_at = now() where id = ${newest!.id}`);
    expectStatus(await me(one), 401);
    expectStatus(await me(one, replica.origin), 401);
    expect(await openings(newest!.id)).toBe(1);
    await hub.db.query(sql`delete from uploads`);
  });

  test('of another project is not to be revoked', async () => {
    expectStatus(await me(password(await issuer.token())), 200);
    const [newest] = await sessions();
    const other = await hub.project();
    expectStatus(await hub.api('DELETE', `/projects/${other}/ci-sessions/${newest!.id}`), 404);
    expect(await sessions(other)).toEqual([]);
  });

  test('lasts as long as its rule says', async () => {
    const home = await hub.project();
    const short = await trust(hub, issuerName, home, { session_minutes: 7 });
    const answer = await me(password(await issuer.token(), short.subject));
    const ends = Date.parse(answer.json<{ expires_at: string }>().expires_at);
    expect(Math.abs(ends - Date.now() - 7 * 60_000)).toBeLessThan(60_000);
  });

  test('is removed a week after its end, and not before', async () => {
    const home = await hub.project();
    const { subject } = await trust(hub, issuerName, home);
    for (const days of [6, 8]) {
      expectStatus(await me(password(await issuer.token({ run_id: `old-${days}` }), subject)), 200);
      const [newest] = await sessions(home);
      await hub.db.query(sql`
        update principals set expires_at = now() - make_interval(days => ${days}) where id = ${newest!.id}`);
      await hub.db.query(sql`
        update ci_sessions set token_expires_at = now() - make_interval(days => ${days}) where principal_id = ${newest!.id}`);
    }
    await pruneCiSessions(hub.db);
    expect((await sessions(home)).map(({ claims }) => claims['run_id'])).toEqual(['old-6']);
  });

  test('is refused with a pause when its rule has too many', async () => {
    const home = await hub.project();
    const { subject } = await trust(hub, issuerName, home);
    await hub.db.query(sql`
      insert into principals (kind, name, parent_id, expires_at)
      select 'ci_session', ${subject} || ':' || n, p.id, now() + interval '1 hour'
      from generate_series(1, 10000) n, principals p where p.name = ${subject} and p.kind = 'trust_rule'`);
    const answer = await me(password(await issuer.token(), subject));
    expect([answer.status, answer.header('retry-after')]).toEqual([429, '60']);
    expectStatus(await hub.api('DELETE', `/projects/${home}/trust-rules/${subject.split('/')[1]}`), 204);
  });
});

describe('of several rules that fit', () => {
  test('the user name chooses, and otherwise the oldest', async () => {
    const [home, elsewhere] = [await hub.project(), await hub.project()];
    const one = await trust(hub, secondName, home);
    const two = await trust(hub, secondName, elsewhere, { name: 'deploy' });
    const token = await second.token();
    const nameOf = async (username: string) =>
      expectStatus(await me(password(token, username)), 200).json<{ name: string }>().name;
    // Whichever was opened before: the same answers.
    expect(await nameOf(two.subject)).toBe(two.subject);
    expect(await nameOf('octocat')).toBe(one.subject);
    expect(await nameOf('deploy')).toBe(two.subject);
    expect(await nameOf(one.subject)).toBe(one.subject);
    expect((await me(bearer(token))).json()).toMatchObject({ name: one.subject });
    const misfit = await trust(hub, secondName, home, { claims: { repository: 'octo/else' } });
    expectStatus(await me(password(token, misfit.subject)), 401);
    // One that is disabled does not stand in the way of the next.
    expectStatus(await hub.api('PATCH', `/projects/${home}/trust-rules/${one.name}`, { disabled: true }), 200);
    expect(await nameOf('octocat')).toBe(two.subject);
  });
});

describe('a rule', () => {
  test('that is changed, disabled or removed ends what it let in', async () => {
    const home = await hub.project();
    const made = await trust(hub, issuerName, home);
    const path = `/projects/${home}/trust-rules/${made.name}`;
    const token = password(await issuer.token(), made.subject);
    const states = async () =>
      Promise.all([me(token), me(token, replica.origin)]).then((all) => all.map((a) => a.status));
    expect(await states()).toEqual([200, 200]);
    expectStatus(await hub.api('PATCH', path, { claims: { repository: 'octo/else' } }), 200);
    expect(await states()).toEqual([401, 401]);
    expectStatus(await hub.api('PATCH', path, { claims: { repository: 'octo/*' } }), 200);
    expect(await states()).toEqual([200, 200]);
    expectStatus(await hub.api('PATCH', path, { disabled: true }), 200);
    expect(await states()).toEqual([401, 401]);
    expectStatus(await hub.api('PATCH', path, { disabled: false }), 200);
    expect(await states()).toEqual([200, 200]);
    expectStatus(await hub.api('PATCH', path, { audience: 'else' }), 200);
    expect(await states()).toEqual([401, 401]);
    expectStatus(await hub.api('PATCH', path, { audience: 'hub.example.com' }), 200);
    expect(await states()).toEqual([200, 200]);
    expectStatus(await hub.api('DELETE', path), 204);
    expect(await states()).toEqual([401, 401]);
    expectStatus(await hub.api('GET', path), 404);
    const again = await trust(hub, issuerName, home, { name: made.name }, 'none');
    expect(again.subject).toBe(made.subject);
    expectStatus(await ask(`/api/v1/projects/${home}`, token), 404);
  });

  test('goes with its project', async () => {
    const home = await hub.project();
    const made = await trust(hub, issuerName, home);
    const token = password(await issuer.token(), made.subject);
    expectStatus(await me(token), 200);
    expectStatus(await hub.api('DELETE', `/projects/${home}`), 204);
    expectStatus(await me(token), 401);
    const left = await hub.db.first<{ n: number }>(sql`
      select count(*)::int as n from principals where name = ${made.subject} or name like ${`${made.subject}:%`}`);
    expect(left?.n).toBe(0);
  });

  test('can be given rights by its own project alone', async () => {
    const other = await hub.project();
    const grant = { subject: rule.subject, subject_type: 'trust_rule', role: 'reader' };
    const answer = expectStatus(await hub.api('PUT', `/projects/${other}/grants`, grant), 400);
    expect(answer.body.toString()).toContain('There is no trust rule');
  });
});

test('the audit trail has who came, with well-known claims and never the token', async () => {
  const token = await issuer.token({ secret_claim: 'hidden-thing', actor: 'octocat\u0000\ud800' });
  expectStatus(await me(password(token)), 200);
  const trail = async () =>
    expectStatus(await hub.api('GET', `/projects/${project}/audit?action=ci.session_opened`), 200);
  // The trail is read below the oldest transaction of the whole cluster, which other test files share.
  const answer = await vi.waitUntil(
    async () => {
      const read = await trail();
      return read.body.includes('octocat') && read;
    },
    { timeout: 10_000, interval: 20 },
  );
  const text = answer.body.toString();
  const [entry] = answer.json<{ items: { data?: unknown }[] }>().items;
  expect(JSON.stringify(entry)).toContain('octo/app');
  expect(text).toContain('octocat');
  expect(text).not.toContain('hidden-thing');
  const everything = await hub.db.query<{ row: string }>(sql`
    select to_jsonb(e)::text as row from events e union all select to_jsonb(a)::text from audit a
    union all select to_jsonb(s)::text from ci_sessions s union all select to_jsonb(p)::text from principals p`);
  const signature = token.split('.')[2]!;
  expect(everything.filter(({ row }) => row.includes(signature))).toEqual([]);
});

test('a client that only knows the docker flow gets in', async () => {
  const client = new OciClient({
    origin: replica.origin,
    credentials: { username: rule.subject, password: await issuer.token() },
  });
  const repo = client.repo(`${project}/flow`);
  await repo.mustPushImage(image(), 'v1');
  await repo.mustPull('v1');
});
