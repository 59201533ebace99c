import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { lacks } from './clients/client.ts';
import { makeOras } from './clients/oras.ts';
import { passwordOf, startDirectory, SUFFIX, type Directory } from './directory.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

describe.skipIf(lacks('slapd', 'ldapmodify', 'openssl', 'oras'))('an LDAP directory', () => {
  const hub = inject('hub');
  let workspace: Workspace;
  let directory: Directory;

  beforeAll(async () => {
    workspace = await makeWorkspace('ldap');
    directory = await startDirectory(workspace);
  });
  afterAll(async () => {
    await removeProvider();
    await directory?.[Symbol.asyncDispose]();
    await workspace?.[Symbol.asyncDispose]();
  });

  const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  const api = (method: string, path: string, body?: unknown, authorization = basic(hub.user, hub.password)) =>
    fetch(`${hub.url}/api/v1${path}`, {
      method,
      headers: { Authorization: authorization, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const me = (name: string, password: string) => api('GET', '/me', undefined, basic(name, password));
  const nameOf = async (name: string, password: string) =>
    ((await (await me(name, password)).json()) as { name?: string }).name;
  const session = (name: string, password: string) =>
    fetch(`${hub.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name, password }),
    });
  const succeed = async (answer: Promise<Response>) => {
    const { ok, status } = await answer;
    expect(ok, String(status)).toBe(true);
  };
  const removeProvider = () => api('DELETE', '/providers/corp');

  const search = () => ({
    kind: 'ldap',
    url: directory.tlsUrl,
    ca: directory.ca,
    find: {
      by: 'search',
      base: SUFFIX,
      filter: '(&(objectClass=inetOrgPerson)(uid={name}))',
      bind_dn: directory.bindDn,
    },
  });

  /** Registers the directory anew, so that no test stands on another's people or on what memory keeps. */
  async function register(settings: Record<string, unknown>, secret: string | undefined = directory.bindPassword) {
    await removeProvider();
    await succeed(api('POST', '/providers', { name: 'corp', title: 'Corp', settings, secret }));
  }

  /** Nobody is remembered after this: an administrator's change raises the epoch. */
  const forget = async (name: string) => {
    await succeed(api('PATCH', `/users/${name}`, { disabled: true }));
    await succeed(api('PATCH', `/users/${name}`, { disabled: false }));
  };
  const teamsOf = async (name: string, password: string) => {
    const answer = await api('GET', '/me/teams', undefined, basic(name, password));
    return ((await answer.json()) as { items: { name: string }[] }).items.map((team) => team.name);
  };

  describe('that is searched', () => {
    beforeEach(() => register(search()));

    test('signs people in over Basic, at the token endpoint and in browsers, as one account', async () => {
      const name = (await nameOf('ada', passwordOf('ada')))!;
      expect(name).toBe('ada');
      expect(await nameOf('ADA', passwordOf('ada'))).toBe('ada');
      const signedIn = await session('ada', passwordOf('ada'));
      expect(signedIn.status).toBe(201);
      expect(await signedIn.json()).toMatchObject({ name: 'ada', admin: false });
      const token = await fetch(`${hub.url}/auth/token`, {
        headers: { Authorization: basic('ada', passwordOf('ada')) },
      });
      expect(token.status).toBe(200);
      const oras = await makeOras(workspace);
      await oras.login({ ...hub, user: 'ada', password: passwordOf('ada') });
      await expect(oras.login({ ...hub, user: 'ada', password: 'wrong' })).rejects.toThrow(/401|unauthorized/i);
    });

    test('refuses alike: wrong passwords, unknown names, two people of one name, and no password at all', async () => {
      const answers = await Promise.all(
        [
          ['ada', 'wrong'],
          ['ada', ''],
          ['nobody-there', passwordOf('ada')],
          ['nobody-there', ''],
          ['twin', passwordOf('twin')],
          ['reader', 'reader password'],
        ].map(async ([name, password]) => {
          const answer = await me(name!, password!);
          const { request_id: _, ...body } = (await answer.json()) as Record<string, unknown>;
          return JSON.stringify([answer.status, body]);
        }),
      );
      expect([...new Set(answers)]).toHaveLength(1);
      expect(answers[0]).toContain('401');
      expect((await session('ada', '')).status).toBe(401);
    });

    test.each([
      '*',
      'a*',
      'ada)(uid=*',
      '*)(objectClass=*',
      'ada)(|(uid=*)',
      '\\61da',
      'ada)',
      '(ada',
      'a\u0000da',
      'ada,ou=people',
    ])('takes %j for a name, not for a filter', async (name) => {
      expect((await me(name, passwordOf('ada'))).status).toBe(401);
    });

    test('knows people by what never changes: a new name is the same account, an old name someone else', async () => {
      expect(await nameOf('cleo', passwordOf('cleo'))).toBe('cleo');
      await directory.modify(
        `dn: uid=cleo,ou=people,${SUFFIX}\nchangetype: modrdn\nnewrdn: uid=cleopatra\ndeleteoldrdn: 1\n`,
      );
      expect(await nameOf('cleopatra', passwordOf('cleo'))).toBe('cleo');
      await directory.modify(
        `dn: uid=cleo,ou=people,${SUFFIX}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: cleo\ncn: c\nsn: c\nuserPassword: another person\n`,
      );
      expect(await nameOf('cleo', 'another person')).toBe('cleo-2');
    });

    test('leaves local accounts alone, and disabled ones closed', async () => {
      expect((await me('admin', passwordOf('admin'))).status).toBe(401);
      expect((await me('admin', hub.password)).status).toBe(200);
      expect(await nameOf('dora', passwordOf('dora'))).toBe('dora');
      await succeed(api('PATCH', '/users/dora', { disabled: true }));
      expect((await me('dora', passwordOf('dora'))).status).toBe(401);
      expect((await session('dora', passwordOf('dora'))).status).toBe(401);
      expect(await (await api('GET', '/users/dora')).json()).toMatchObject({ disabled: true });
      await succeed(api('PATCH', '/users/dora', { disabled: false }));
      expect(await nameOf('dora', passwordOf('dora'))).toBe('dora');
    });

    test('slows guesses down as for any account', async () => {
      const statuses: number[] = [];
      for (let i = 0; i < 7; i++) statuses.push((await me('fay', `guess ${i}`)).status);
      expect(statuses.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
      expect(statuses).toContain(429);
    });
  });

  test('whose DNs are known is asked directly; names cannot become DNs', async () => {
    const find = { by: 'dn', dn: `uid={name},ou=people,${SUFFIX}` };
    await register({ kind: 'ldap', url: directory.tlsUrl, ca: directory.ca, find }, undefined);
    expect(await nameOf('erik', passwordOf('erik'))).toBe('erik');
    for (const name of [
      'erik,ou=people',
      'erik+cn=erik',
      'erik"',
      'x\\,uid=erik',
      '#erik',
      'twin,ou=others,dc=example,dc=com#',
    ]) {
      expect((await me(name, passwordOf('erik'))).status, name).toBe(401);
    }
    expect((await me('erik', '')).status).toBe(401);
  });

  describe('and its groups', () => {
    beforeAll(async () => {
      for (const name of ['ldap-engineers', 'operators']) await api('POST', '/teams', { name });
    });
    const rules = { team_by_group: { engineers: 'ldap-engineers' }, groups_are_teams: true };

    test('put people into teams, and take them out at the next check', async () => {
      const groups = { by: 'search', base: `ou=groups,${SUFFIX}`, filter: '(member={dn})' };
      await register({ ...search(), ...rules, groups });
      const name = (await nameOf('bob', passwordOf('bob')))!;
      expect(await teamsOf('bob', passwordOf('bob'))).toEqual(['ldap-engineers', 'operators']);
      await directory.modify(
        `dn: cn=operators,ou=groups,${SUFFIX}\nchangetype: modify\nadd: member\nmember: uid=ada,ou=people,${SUFFIX}\n-\ndelete: member\nmember: uid=bob,ou=people,${SUFFIX}\n`,
      );
      await forget(name);
      expect(await teamsOf('bob', passwordOf('bob'))).toEqual(['ldap-engineers']);
    });

    test('may be told by an attribute of the person', async () => {
      const dn = `cn=engineers,ou=groups,${SUFFIX}`;
      const groups = { by: 'attribute', attribute: 'memberOf' };
      await register({ ...search(), groups, team_by_group: { [dn]: 'ldap-engineers' }, required_groups: [dn] });
      const name = (await nameOf('bob', passwordOf('bob')))!;
      expect(name).toMatch(/^bob/);
      expect(await teamsOf('bob', passwordOf('bob'))).toEqual(['ldap-engineers']);
      expect((await me('erik', passwordOf('erik'))).status).toBe(401);
    });
  });

  describe('reached over', () => {
    const unavailable = async () => {
      const answer = await me('erik', passwordOf('erik'));
      expect(await answer.json()).toMatchObject({ type: 'urn:berth:problem:sign-in-unavailable' });
      expect(answer.headers.get('retry-after')).toBe('5');
      // Whoever has a password here does not need the directory.
      expect((await me(hub.user, hub.password)).status).toBe(200);
    };

    test('ldap:// sends nothing in the clear, unless an administrator says so', async () => {
      const plain = { ...search(), url: directory.url };
      const refused = await api('POST', '/providers', { name: 'plain', title: 'Plain', settings: plain });
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({ errors: [{ at: '/settings/url' }] });
      await register({ ...plain, plaintext: true });
      expect(await nameOf('erik', passwordOf('erik'))).toMatch(/^erik/);
    });

    test('StartTLS checks the certificate', async () => {
      const url = directory.url.replace('127.0.0.1', 'localhost');
      await register({ ...search(), url, start_tls: true });
      expect(await nameOf('erik', passwordOf('erik'))).toMatch(/^erik/);
      const { ca: _, ...publicAuthorities } = search();
      await register({ ...publicAuthorities, url, start_tls: true });
      await unavailable();
      await register({ ...search(), url: directory.url, start_tls: true });
      await unavailable();
    });

    test('TLS checks the certificate', async () => {
      const { ca: _, ...publicAuthorities } = search();
      await register(publicAuthorities);
      await unavailable();
      await register({ ...search(), url: directory.tlsUrl.replace('localhost', '127.0.0.1') });
      await unavailable();
    });

    test('a wrong bind password, or to nobody, is a 503 and not a wrong password', async () => {
      await register(search(), 'not the password of the reader');
      await unavailable();
      await directory.stop();
      await register(search());
      await unavailable();
    });
  });
});
