/** Sign-in at a real OIDC provider, by a browser that follows redirects and keeps cookies. */
import sql from 'sql-template-tag';
import { afterAll, describe, expect, test } from 'vitest';
import { InvalidCredentials } from '../../src/auth/errors.ts';
import { admit } from '../../src/auth/identities.ts';
import { findProvider } from '../../src/auth/providers.ts';
import { testHub } from '../harness/hub.ts';
import { unique } from '../harness/oci-client.ts';
import { startOpenIdProvider, type Person } from './openid-provider.ts';

const hub = await testHub();
const provider = await startOpenIdProvider(['corp', 'other'].map((name) => `${hub.origin}/auth/oidc/${name}/callback`));
afterAll(() => provider[Symbol.asyncDispose]());

const settings = {
  kind: 'oidc',
  issuer: provider.issuer,
  client_id: provider.clientId,
  scopes: ['profile', 'email', 'groups'],
  private_addresses: true,
};
const registration = { title: 'Corp', settings, secret: provider.clientSecret };

async function api<T = Record<string, unknown>>(
  method: string,
  path: string,
  body?: unknown,
  status = 200,
): Promise<T> {
  const answer = await hub.api(method, path, body);
  expect(answer.status, `${method} ${path}: ${answer.body.toString()}`).toBe(status);
  return (answer.body.length === 0 ? undefined : answer.json()) as T;
}

await api('POST', '/providers', { name: 'corp', ...registration }, 201);

/** Cookies of one browser, by origin, and where it was sent. */
function openBrowser() {
  const jar = new Map<string, Map<string, string>>();
  return {
    jar,
    async get(url: string, init: { method?: string; headers?: Record<string, string> } = {}) {
      const { origin } = new URL(url);
      const cookies = jar.get(origin) ?? new Map<string, string>();
      jar.set(origin, cookies);
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const headers = { ...init.headers, ...(cookie !== '' && { Cookie: cookie }) };
      const answer = await fetch(url, { redirect: 'manual', ...init, headers });
      for (const line of answer.headers.getSetCookie()) {
        const [name, value] = line.split(';')[0]!.split(/=(.*)/s) as [string, string];
        if (value === '' || /max-age=0/i.test(line) || /expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(name);
        else cookies.set(name, value);
      }
      return answer;
    },
    /** Follows redirects until `stop` says so, or there is none. */
    async follow(url: string, stop: (url: string) => boolean = () => false) {
      for (let next = url, hops = 0; ; hops++) {
        if (stop(next) || hops > 12) return { url: next, answer: undefined };
        const answer = await this.get(next);
        const location = answer.headers.get('location');
        if (location === null) return { url: next, answer };
        next = new URL(location, next).href;
      }
    },
  };
}

type Browser = ReturnType<typeof openBrowser>;
const isCallback = (url: string) => url.startsWith(`${hub.origin}/auth/oidc/`) && url.includes('/callback');

/** Up to the redirect that brings the provider's answer. */
async function toCallback(person: Person, browser: Browser = openBrowser(), name = 'corp', change = (url: URL) => url) {
  provider.person = person;
  const start = await browser.get(`${hub.origin}/auth/oidc/${name}`);
  expect(start.status, await start.text()).toBe(303);
  const asked = new URL(start.headers.get('location')!);
  const { url } = await browser.follow(change(asked).href, isCallback);
  return { browser, url, asked };
}

async function signIn(person: Person, name = 'corp') {
  const { browser, url } = await toCallback(person, openBrowser(), name);
  const answer = await browser.get(url);
  return { browser, answer, me: await whoAmI(browser) };
}

async function whoAmI(browser: Browser): Promise<string | undefined> {
  const answer = await browser.get(`${hub.origin}/api/v1/session`);
  return ((await answer.json()) as { name?: string }).name;
}

const person = (more: Partial<Person> = {}): Person => {
  const name = unique('p-');
  return { sub: `sub-${name}`, preferred_username: name, email: `${name}@example.com`, ...more };
};
const teamsOf = async (name: string) =>
  (
    await hub.db.query<{ name: string }>(sql`
      select t.name from team_members m join principals t on t.id = m.team_id join principals p on p.id = m.member_id
      where p.kind = 'user' and p.name = ${name} order by t.name`)
  ).map((row) => row.name);
const users = async () => (await hub.db.query(sql`select 1 from users`)).length;
const sessions = async () => (await hub.db.query(sql`select 1 from sessions`)).length;

describe('the first sign-in', () => {
  test('makes an account without a password, and a session', async () => {
    const jane = person();
    const { answer, me, browser } = await signIn(jane);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe(`${hub.origin}/ui/`);
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(me).toBe(jane.preferred_username);
    expect([...browser.jar.get(hub.origin)!.keys()]).toEqual(['berth_session']);
    const row = await hub.db.first<{ hash: string | null; admin: boolean }>(sql`
      select password_hash as hash, admin from users u join principals p on p.id = u.principal_id where name = ${me}`);
    expect(row).toEqual({ hash: null, admin: false });
    const { items } = await api<{ items: object[] }>('GET', `/users/${me}/identities`);
    expect(items).toMatchObject([{ provider: 'corp', issuer: provider.issuer, subject: jane.sub }]);
    const list = await api<{ items: object[] }>('GET', `/users/${me}/sessions`);
    expect(list.items).toMatchObject([{ provider: 'corp' }]);
  });

  test('is announced to browsers, and asks with PKCE, state and nonce', async () => {
    const ways = await (await fetch(`${hub.origin}/api/v1/sign-in`)).json();
    expect(ways).toEqual({ password: true, providers: [{ name: 'corp', title: 'Corp', url: '/auth/oidc/corp' }] });
    const { asked } = await toCallback(person());
    const query = Object.fromEntries(asked.searchParams);
    expect(query).toEqual({
      client_id: 'berth',
      response_type: 'code',
      redirect_uri: `${hub.origin}/auth/oidc/corp/callback`,
      scope: 'openid profile email groups',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    const again = (await toCallback(person())).asked.searchParams;
    for (const name of ['state', 'nonce', 'code_challenge']) expect(again.get(name)).not.toBe(query[name]);
  });

  test('of two tabs at once makes one account', async () => {
    const jane = person();
    const before = await users();
    const ways = [await toCallback(jane), await toCallback(jane), await toCallback(jane)];
    await Promise.all(ways.map(({ browser, url }) => browser.get(url)));
    expect(new Set(await Promise.all(ways.map(({ browser }) => whoAmI(browser))))).toEqual(
      new Set([jane.preferred_username]),
    );
    expect(await users()).toBe(before + 1);
  });

  test.each([
    ['Jörg Ötzi', 'jorg-otzi'],
    ['Jane.Doe@Corp.example', 'jane.doe'],
    ['robot-x', /^user-[0-9a-f]{12}$/],
    ['everyone', /^user-[0-9a-f]{12}$/],
    ['李雷', /^user-[0-9a-f]{12}$/],
    ['../../etc', 'etc'],
    ['', /^user-[0-9a-f]{12}$/],
  ])('of %j makes a name for shells', async (wanted, expected) => {
    const { me } = await signIn({ sub: unique('odd-'), preferred_username: wanted });
    expect(me).toMatch(expected);
  });

  test('is refused where strangers get no account', async () => {
    const known = person();
    await signIn(known);
    await api('PUT', '/providers/corp', { ...registration, settings: { ...settings, creates_users: false } });
    const before = await users();
    const { answer, me } = await signIn(person());
    expect(answer.status).toBe(403);
    expect(me).toBeUndefined();
    expect((await signIn(known)).me).toBe(known.preferred_username);
    await api('PUT', '/providers/corp', registration);
    expect(await users()).toBe(before);
  });
});

describe('who it is', () => {
  test('is told by the subject, whatever name or address comes with it', async () => {
    const jane = person();
    const { me } = await signIn(jane);
    const renamed = { ...jane, preferred_username: unique('new-'), email: 'else@example.com' };
    expect((await signIn(renamed)).me).toBe(me);
    const impostor = { ...jane, sub: unique('else-') };
    const { me: other } = await signIn(impostor);
    expect(other).toBe(`${me}-2`);
    const third = await signIn({ ...jane, sub: unique('third-') });
    expect(third.me).toBe(`${me}-3`);
  });

  test('is never a local account of the same name, administrators least of all', async () => {
    const { me } = await signIn({ sub: unique('sub-'), preferred_username: 'admin', email: 'admin@example.com' });
    expect(me).toBe('admin-2');
    const { name } = await hub.person();
    expect((await signIn({ sub: unique('sub-'), preferred_username: name })).me).toBe(`${name}-2`);
  });

  test('depends on the provider and its issuer: the same subject elsewhere is someone else', async () => {
    await api('POST', '/providers', { name: 'other', ...registration }, 201);
    const jane = person();
    const { me } = await signIn(jane);
    expect((await signIn(jane, 'other')).me).toBe(`${me}-2`);
    expect((await signIn(jane, 'corp')).me).toBe(me);
    await hub.db.query(sql`update identities set issuer = 'https://before.example' where subject = ${jane.sub}`);
    expect((await signIn(jane)).me).toBe(`${me}-3`);
    await api('DELETE', '/providers/other', undefined, 204);
  });

  test('may be unlinked by an administrator, and is nobody then', async () => {
    const jane = person();
    const { me, browser } = await signIn(jane);
    const { items } = await api<{ items: { id: string }[] }>('GET', `/users/${me}/identities`);
    await api('DELETE', `/users/admin/identities/${items[0]!.id}`, undefined, 404);
    await api('DELETE', `/users/${me}/identities/${items[0]!.id}`, undefined, 204);
    expect((await browser.get(`${hub.origin}/api/v1/me`)).status).toBe(401);
    expect((await signIn(jane)).me).toBe(`${me}-2`);
  });
});

describe('groups', () => {
  test('decide about teams at each sign-in, and take back only what they said', async () => {
    const [a, b, c] = [unique('team-'), unique('team-'), unique('team-')];
    for (const name of [a, b, c]) await api('POST', '/teams', { name }, 201);
    const mapping = {
      ...settings,
      team_by_group: { '/eng/platform': a, ops: b, gone: 'no-such-team' },
      groups_are_teams: true,
    };
    await api('PUT', '/providers/corp', { ...registration, settings: mapping });
    const jane = person({ groups: ['/eng/platform', 'gone', c.toUpperCase(), 'unheard-of'] });
    const { me, browser } = await signIn(jane);
    expect(await teamsOf(me!)).toEqual([a, c].toSorted());
    await api('PUT', `/teams/${c}/members/${me}`, undefined, 204);

    await signIn({ ...jane, groups: ['ops'] });
    expect(await teamsOf(me!)).toEqual([b, c].toSorted());
    // The change raised the epoch, and the session of the other browser is looked at again, and lives.
    expect((await browser.get(`${hub.origin}/api/v1/me`)).status).toBe(200);
    await signIn({ sub: jane.sub });
    expect(await teamsOf(me!)).toEqual([c]);
    await api('PUT', '/providers/corp', registration);
  });

  test('that are required keep everyone else out, with what came from there', async () => {
    const team = unique('team-');
    await api('POST', '/teams', { name: team }, 201);
    const strict = { ...settings, team_by_group: { staff: team, guests: team }, required_groups: ['staff'] };
    await api('PUT', '/providers/corp', { ...registration, settings: strict });
    const jane = person({ groups: ['staff'] });
    const { me } = await signIn(jane);
    expect(await teamsOf(me!)).toEqual([team]);
    const before = await users();
    expect((await signIn(person({ groups: ['guests'] }))).answer.status).toBe(403);
    expect((await signIn({ ...jane, groups: ['guests'] })).answer.status).toBe(403);
    expect(await users()).toBe(before);
    expect(await teamsOf(me!)).toEqual([]);
    await api('PUT', '/providers/corp', registration);
  });
});

describe('a closed door', () => {
  test('stays closed: signing in does not enable an account again', async () => {
    const jane = person();
    const { me } = await signIn(jane);
    await api('PATCH', `/users/${me}`, { disabled: true });
    const before = await sessions();
    const { answer, me: nobody } = await signIn(jane);
    expect(answer.status).toBe(403);
    expect(nobody).toBeUndefined();
    expect(await sessions()).toBe(before);
    expect(await api('GET', `/users/${me}`)).toMatchObject({ disabled: true });
    // As a directory would say it, with no session in between.
    const vouched = { issuer: provider.issuer, subject: jane.sub, name: 'jane', groups: [] };
    const corp = (await findProvider(hub.db, 'corp'))!;
    await expect(admit(hub.db, corp, vouched)).rejects.toBeInstanceOf(InvalidCredentials);
    await api('PATCH', `/users/${me}`, { disabled: false });
    expect((await admit(hub.db, corp, vouched)).name).toBe(me);
  });

  test('is what a disabled or removed provider is, for those inside, too', async () => {
    const jane = person();
    const { browser, url } = await toCallback(person());
    const inside = await signIn(jane);
    await api('PUT', '/providers/corp', { ...registration, enabled: false });
    expect((await inside.browser.get(`${hub.origin}/api/v1/me`)).status).toBe(401);
    expect((await browser.get(url)).status).toBe(404);
    expect((await fetch(`${hub.origin}/auth/oidc/corp`, { redirect: 'manual' })).status).toBe(404);
    expect(await (await fetch(`${hub.origin}/api/v1/sign-in`)).json()).toMatchObject({ providers: [] });
    await api('PUT', '/providers/corp', registration);
    expect((await signIn(jane)).me).toBe(inside.me);
  });
});

describe('an answer that is not to this start', () => {
  const refused = async (answer: Response) => {
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ errors: [{ code: 'DENIED' }] });
    expect(answer.headers.get('www-authenticate')).toBeNull();
  };

  test.each([
    ['without the cookie of the start', ({ url }: Arrived) => openBrowser().get(url)],
    [
      'with another state',
      ({ url, browser }: Arrived) => browser.get(url.replace(/state=[^&]*/, `state=${'A'.repeat(43)}`)),
    ],
    ['without a state', ({ url, browser }: Arrived) => browser.get(url.replace(/&?state=[^&]*/, ''))],
    ['with a made-up code', ({ url, browser }: Arrived) => browser.get(url.replace(/code=[^&]*/, 'code=made-up'))],
    ['without a code', ({ url, browser }: Arrived) => browser.get(url.replace(/code=[^&]*&?/, ''))],
    [
      'with another issuer',
      ({ url, browser }: Arrived) => browser.get(url.replace(/iss=[^&]*/, 'iss=https%3A%2F%2Fevil.example')),
    ],
    [
      'that says no',
      ({ browser, asked }: Arrived) =>
        browser.get(
          `${hub.origin}/auth/oidc/corp/callback?error=access_denied&state=${asked.searchParams.get('state')}&iss=${encodeURIComponent(provider.issuer)}`,
        ),
    ],
    ['with two codes', ({ url, browser }: Arrived) => browser.get(`${url}&code=second`)],
  ])('%s is refused', async (_, answer) => {
    const [before, accounts] = [await sessions(), await users()];
    await refused(await answer(await toCallback(person())));
    expect(await sessions()).toBe(before);
    expect(await users()).toBe(accounts);
  });

  type Arrived = Awaited<ReturnType<typeof toCallback>>;

  test('with another nonce is refused', async () => {
    const { browser, url } = await toCallback(person(), openBrowser(), 'corp', (asked) => {
      asked.searchParams.set('nonce', 'A'.repeat(43));
      return asked;
    });
    await refused(await browser.get(url));
  });

  test('that was used before is refused, though the browser brings the old cookie', async () => {
    const { browser, url } = await toCallback(person());
    const kept = browser.jar.get(hub.origin)!.get('berth_sign_in')!;
    expect((await browser.get(url)).status).toBe(303);
    expect(browser.jar.get(hub.origin)!.has('berth_sign_in')).toBe(false);
    const before = await sessions();
    await refused(await browser.get(url));
    browser.jar.get(hub.origin)!.set('berth_sign_in', kept);
    await refused(await browser.get(url));
    expect(await sessions()).toBe(before);
  });

  test("to another browser's start is refused, also when that one's state is put in", async () => {
    const [victim, attacker] = [await toCallback(person()), await toCallback(person())];
    await refused(await victim.browser.get(attacker.url));
    const again = await toCallback(person());
    const code = new URL(attacker.url).searchParams.get('code')!;
    const forged = new URL(again.url);
    forged.searchParams.set('code', code);
    await refused(await again.browser.get(forged.href));
  });

  test('to a start that was forged, changed, or is of another provider or settings is refused', async () => {
    const arrived = await toCallback(person());
    const cookies = arrived.browser.jar.get(hub.origin)!;
    const sealed = cookies.get('berth_sign_in')!;
    const flipped = `${sealed.slice(0, 30)}${sealed[30] === 'A' ? 'B' : 'A'}${sealed.slice(31)}`;
    for (const value of ['', 'x', 'A'.repeat(200), flipped, sealed.slice(0, -4)]) {
      cookies.set('berth_sign_in', value || 'x');
      await refused(await arrived.browser.get(arrived.url));
    }
    const second = await toCallback(person());
    await api('PUT', '/providers/corp', registration);
    await refused(await second.browser.get(second.url));
  });
});

describe('where the browser goes then', () => {
  const hostile = [
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    'https://evil.example',
    'https:evil.example',
    'http:/evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    '/%09/evil.example\t',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    ' //evil.example',
    '/ /evil.example',
    'evil.example',
    '@evil.example',
    '/..//evil.example',
    '/.//evil.example',
    '/a/..//evil.example',
    'https://127.0.0.1@evil.example',
    `${hub.origin}.evil.example`,
    `${hub.origin}@evil.example`,
    '',
    '?',
    '/\u2028/evil',
    '/\u00e4',
    '/x\r\nSet-Cookie: a=b',
    `/${'x'.repeat(2_000)}`,
    '/\0',
    '/ui/\\..\\..\\//evil',
    '/\u3002\u3002',
  ];

  test('is a page of the hub, whatever the link said', async () => {
    for (const target of hostile) {
      const browser = openBrowser();
      provider.person = person();
      const start = await browser.get(`${hub.origin}/auth/oidc/corp?return_to=${encodeURIComponent(target)}`);
      const { url } = await browser.follow(start.headers.get('location')!, isCallback);
      const location = (await browser.get(url)).headers.get('location')!;
      expect(new URL(location).origin, target).toBe(hub.origin);
      expect(location, target).toBe(`${hub.origin}/ui/`);
    }
  });

  test.each(['/ui/projects/acme?tab=robots#new', '/', '/ui/%2F%2Fevil'])('%s is kept', async (target) => {
    const browser = openBrowser();
    provider.person = person();
    const start = await browser.get(`${hub.origin}/auth/oidc/corp?return_to=${encodeURIComponent(target)}`);
    const { url } = await browser.follow(start.headers.get('location')!, isCallback);
    expect((await browser.get(url)).headers.get('location')).toBe(hub.origin + target);
  });

  test('is a new session: the one before is over', async () => {
    const first = await signIn(person());
    const kept = first.browser.jar.get(hub.origin)!.get('berth_session')!;
    const second = await toCallback(person(), first.browser);
    await second.browser.get(second.url);
    expect(first.browser.jar.get(hub.origin)!.get('berth_session')).not.toBe(kept);
    const old = await fetch(`${hub.origin}/api/v1/me`, { headers: { Cookie: `berth_session=${kept}` } });
    expect(old.status).toBe(401);
  });
});

describe('the provider', () => {
  test('is described once, not at each sign-in', async () => {
    await signIn(person());
    provider.asked.length = 0;
    await signIn(person());
    expect(provider.asked.filter((line) => line.includes('openid-configuration'))).toEqual([]);
    expect(provider.asked.filter((line) => line.includes('/token'))).toHaveLength(1);
  });

  test('that is away, or knows another secret, is the hub’s 503; nobody gets in', async () => {
    await api('PUT', '/providers/corp', { ...registration, secret: 'another-secret' });
    const { browser, url } = await toCallback(person());
    const answer = await browser.get(url);
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain('secret');
    await api('PUT', '/providers/corp', { ...registration, settings: { ...settings, issuer: 'http://127.0.0.1:9' } });
    expect((await fetch(`${hub.origin}/auth/oidc/corp`, { redirect: 'manual' })).status).toBe(503);
    await api('PUT', '/providers/corp', registration);
    expect((await signIn(person())).answer.status).toBe(303);
  });

  test('shows its secret to nobody, and keeps it encrypted', async () => {
    const shown = JSON.stringify([await api('GET', '/providers'), await api('GET', '/providers/corp')]);
    expect(shown).not.toContain(provider.clientSecret);
    expect(await api('GET', '/providers/corp')).toMatchObject({
      has_secret: true,
      callback_url: `${hub.origin}/auth/oidc/corp/callback`,
    });
    const stored = JSON.stringify(
      await hub.db.query(sql`
        select p::text from providers p union all select e::text from events e
        union all select encode(ciphertext, 'escape') from secrets`),
    );
    expect(stored).toContain('provider.updated');
    expect(stored).not.toContain(provider.clientSecret);
  });
});
