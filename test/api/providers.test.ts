import { readFile } from 'node:fs/promises';
import sql from 'sql-template-tag';
import { describe, expect, test } from 'vitest';
import { escapeDn, escapeFilter } from '../../src/auth/ldap.ts';
import { toUserName } from '../../src/auth/identities.ts';
import { teamsFor } from '../../src/auth/providers.ts';
import { testApi } from './harness.ts';

const { db, call, token, admin, jane, reported } = await testApi();

const oidc = { kind: 'oidc', issuer: 'https://id.example.com', client_id: 'berth' };
const ldap = {
  kind: 'ldap',
  url: 'ldaps://ldap.example.com',
  find: { by: 'search', base: 'dc=example', filter: '(uid={name})' },
};
let count = 0;
const request = (settings: object = oidc, more: object = {}) => ({
  name: `provider-${++count}`,
  title: 'Corp',
  settings,
  ...more,
});

describe('a provider', () => {
  test('is registered, shown with what was left out, replaced and removed by administrators', async () => {
    const body = request(oidc, { secret: 'very secret' });
    const made = await call('POST', '/providers', admin, body).expect(201);
    expect(made.body).toEqual({
      name: body.name,
      title: 'Corp',
      enabled: true,
      settings: {
        ...oidc,
        client_authentication: 'client_secret_basic',
        scopes: ['profile', 'email'],
        name_claim: 'preferred_username',
        groups_claim: 'groups',
        private_addresses: false,
        team_by_group: {},
        groups_are_teams: false,
        required_groups: [],
        creates_users: true,
      },
      has_secret: true,
      callback_url: `https://hub.example.com/auth/oidc/${body.name}/callback`,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    const path = `/providers/${body.name}`;
    expect((await call('GET', path, admin).expect(200)).body).toEqual(made.body);
    expect((await call('GET', '/providers', admin).expect(200)).body.items).toContainEqual(made.body);
    await call('POST', '/providers', admin, body).expect(409);

    const changed = await call('PUT', path, admin, { title: 'New', settings: { ...oidc, scopes: [] } }).expect(200);
    expect(changed.body).toMatchObject({ title: 'New', has_secret: true, settings: { scopes: [] } });
    await call('PUT', path, admin, { title: 'New', settings: ldap }).expect(400);
    const without = await call('PUT', path, admin, { title: 'New', settings: oidc, secret: '' }).expect(200);
    expect(without.body.has_secret).toBe(false);
    expect(await db.query(sql`select 1 from secrets where purpose = 'sign-in-provider'`)).toEqual([]);
    await call('DELETE', path, admin).expect(204);
    await call('GET', path, admin).expect(404);
    await call('PUT', path, admin, { title: 'New', settings: oidc }).expect(404);
  });

  test('that is a directory keeps the settings of one', async () => {
    const settings = {
      ...ldap,
      find: { ...ldap.find, bind_dn: 'cn=reader' },
      groups: { by: 'search', base: 'ou=groups', filter: '(member={dn})' },
    };
    const made = await call('POST', '/providers', admin, request(settings)).expect(201);
    expect(made.body.settings).toMatchObject({
      ...settings,
      groups: { ...settings.groups, name_attribute: 'cn' },
      subject_attribute: 'entryUUID',
      start_tls: false,
    });
    expect(made.body).not.toHaveProperty('callback_url');
    expect((await call('GET', '/sign-in').expect(200)).body.providers).toEqual([]);
  });

  test('is nobody else’s business', async () => {
    const { body } = await call('POST', '/providers', admin, request()).expect(201);
    for (const [method, path, sent] of [
      ['GET', '/providers', undefined],
      ['POST', '/providers', request()],
      ['GET', `/providers/${body.name}`, undefined],
      ['PUT', `/providers/${body.name}`, { title: 'x', settings: oidc }],
      ['DELETE', `/providers/${body.name}`, undefined],
      ['GET', `/users/${jane.name}/identities`, undefined],
      ['DELETE', `/users/${jane.name}/identities/1`, undefined],
    ] as const) {
      await call(method, path, jane, sent).expect(403);
      await call(method, path, await token(admin, { actions: ['pull'] }), sent).expect(403);
    }
    expect((await call('GET', '/sign-in').expect(200)).body).toEqual({
      password: true,
      providers: [{ name: body.name, title: 'Corp', url: `/auth/oidc/${body.name}` }],
    });
  });

  test.each([
    [{ ...request(), name: 'local' }, '/'],
    [{ ...request(), name: 'Upper' }, '/'],
    [{ ...request(), id: 7 }, '/'],
    [{ ...request(), version: 7 }, '/'],
    [request({ ...oidc, issuer: 'ftp://id.example.com' }), '/settings/issuer'],
    [request({ ...oidc, issuer: 'https://user:pw@id.example.com' }), '/settings/issuer'],
    [request({ ...oidc, client_id: '' }), '/settings/client_id'],
    [request({ ...oidc, scopes: ['a b'] }), '/settings/scopes/0'],
    [request({ ...oidc, team_by_group: { a: 'No Team' } }), '/settings/team_by_group/a'],
    [request({ ...oidc, ca: 'not a certificate' }), '/settings/ca'],
    [request({ ...oidc, bind_dn: 'x' }), '/settings'],
    [request({ ...ldap, url: 'ldap://ldap.example.com' }), '/settings/url'],
    [request({ ...ldap, url: 'https://ldap.example.com' }), '/settings/url'],
    [request({ ...ldap, find: { by: 'search', base: 'x', filter: '(uid=*)' } }), '/settings/find/filter'],
    [request({ ...ldap, find: { by: 'dn', dn: 'uid=x' } }), '/settings/find/dn'],
    [request({ ...ldap, subject_attribute: 'a)(b' }), '/settings/subject_attribute'],
    [request({ kind: 'saml' }), '/settings/kind'],
  ])('%j is refused', async (body, at) => {
    const before = (await db.query(sql`select 1 from providers`)).length;
    const answer = await call('POST', '/providers', admin, body).expect(400);
    expect(answer.body.type).toBe('urn:berth:problem:validation-failed');
    if (answer.body.errors !== undefined) expect(answer.body.errors[0].at).toBe(at);
    expect(await db.query(sql`select 1 from providers`)).toHaveLength(before);
  });
});

test('the example of docs/identity.md is one', async () => {
  const text = await readFile(new URL('../../docs/identity.md', import.meta.url), 'utf8');
  const example = /api\/v1\/providers .*? -d '(\{.*?\n\})'/s.exec(text)![1]!;
  const made = await call('POST', '/providers', admin, JSON.parse(example)).expect(201);
  expect(made.body).toMatchObject({ name: 'corp', has_secret: true, settings: { kind: 'oidc' } });
  await call('DELETE', '/providers/corp', admin).expect(204);
});

describe('what people type into a directory', () => {
  test.each([
    ['jane', 'jane'],
    ['*', '\\2a'],
    ['a)(b', 'a\\29\\28b'],
    ['\\2a', '\\5c2a'],
    ['a\0b', 'a\\00b'],
    ['jörg', 'jörg'],
  ])('%j in a filter is %j', (typed, expected) => expect(escapeFilter(typed)).toBe(expected));

  test.each([
    ['jane', 'jane'],
    ['a,ou=b', 'a\\,ou\\=b'],
    ['a+b"c\\d<e>;', 'a\\+b\\"c\\\\d\\<e\\>\\;'],
    ['#a', '\\#a'],
    [' a ', '\\ a\\ '],
    ['a\0', 'a\\00'],
  ])('%j in a DN is %j', (typed, expected) => expect(escapeDn(typed)).toBe(expected));
});

test('groups mean teams by the mapping, and by their name where that is wanted; nothing inherited', () => {
  const rules = { teams: { Admins: 'ops', Devs: 'dev' }, required: [] };
  const groups = ['Admins', 'Devs', 'Other', 'constructor', '__proto__', 'Admins'];
  expect(teamsFor({ ...rules, sameName: false }, groups)).toEqual(['ops', 'dev']);
  expect(teamsFor({ ...rules, sameName: true }, groups)).toEqual([
    'ops',
    'dev',
    'admins',
    'devs',
    'other',
    'constructor',
    '__proto__',
  ]);
});

test('a name that cannot be one here becomes one of the identity, the same each time', () => {
  const odd = { name: '李雷', issuer: 'https://a.example', subject: '1' };
  expect(toUserName(odd)).toBe(toUserName(odd));
  expect(toUserName({ ...odd, subject: '2' })).not.toBe(toUserName(odd));
  expect(toUserName({ ...odd, issuer: 'https://b.example' })).not.toBe(toUserName(odd));
  expect(toUserName({ ...odd, name: 'x'.repeat(300) })).toBe('x'.repeat(50));
});

test('nothing of this was a fault of the hub', () => {
  expect(reported).toEqual([]);
});
