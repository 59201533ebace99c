import { describe, expect, test } from 'vitest';
import { parseAuthorization } from '../../src/auth/authorization.ts';
import { challenge, repositoryScope } from '../../src/auth/challenge.ts';
import { chooseOrigin, realmOf, serviceOf } from '../../src/auth/origins.ts';
import { formatScopes, parseScopes } from '../../src/auth/scopes.ts';
import { looksLikeToken, newToken, tokenOwner } from '../../src/auth/token-format.ts';

describe('challenges', () => {
  test('have the form that every client reads', () => {
    const parts = { realm: 'https://hub.example.com/auth/token', service: 'hub.example.com' };
    expect(challenge(parts)).toBe('Bearer realm="https://hub.example.com/auth/token",service="hub.example.com"');
    const scope = repositoryScope('acme/web', ['pull', 'push']);
    expect(challenge({ ...parts, scope, error: 'insufficient_scope' })).toBe(
      'Bearer realm="https://hub.example.com/auth/token",service="hub.example.com",scope="repository:acme/web:pull,push",error="insufficient_scope"',
    );
  });

  test('cannot be broken out of', () => {
    expect(challenge({ realm: 'r', service: 's', scope: 'a",realm="https://evil.example\r\nX: 1\\' })).toBe(
      'Bearer realm="r",service="s",scope="a,realm=https://evil.exampleX: 1"',
    );
  });
});

describe('origins', () => {
  const urls = ['https://hub.example.com', 'http://localhost:8080'];

  test.each([
    ['hub.example.com', urls[0]],
    ['HUB.example.com', urls[0]],
    ['localhost:8080', urls[1]],
    [undefined, urls[0]],
    ['', urls[0]],
    ['localhost', urls[0]],
    ['hub.example.com:444', urls[0]],
    ['evil.example', urls[0]],
    ['hub.example.com@evil.example', urls[0]],
    ['evil.com:fake@hub.example.com', urls[0]],
    ['hub.example.com, evil.example', urls[0]],
    ['hub.example.com\r\nX: 1', urls[0]],
    ['x'.repeat(100_000), urls[0]],
  ])('Host %j chooses %s', (host, expected) => {
    expect(chooseOrigin(urls, host)).toBe(expected);
  });

  test('make realm and service', () => {
    expect(realmOf('http://localhost:8080')).toBe('http://localhost:8080/auth/token');
    expect(serviceOf('http://localhost:8080')).toBe('localhost:8080');
    expect(serviceOf('https://hub.example.com')).toBe('hub.example.com');
  });
});

describe('scopes', () => {
  test.each([
    [['repository:acme/web:pull'], 'repository:acme/web:pull'],
    [['repository:acme/web:push,pull'], 'repository:acme/web:push,pull'],
    [['repository:a:pull repository:b:pull,push'], 'repository:a:pull repository:b:pull,push'],
    [['repository:a:pull', 'repository:b:pull'], 'repository:a:pull repository:b:pull'],
    [['repository:a:pull', 'repository:a:push,pull'], 'repository:a:pull,push'],
    [['repository:a:pull,pull,'], 'repository:a:pull'],
    [['repository(plugin):a/b:pull'], 'repository:a/b:pull'],
    [['registry:catalog:*'], 'registry:catalog:*'],
    [['repository:localhost:5000/acme/web:pull'], 'repository:localhost:5000/acme/web:pull'],
    [['repository:a:frobnicate,pull'], 'repository:a:frobnicate,pull'],
    [['  repository:a:pull\t\n repository:b:pull  '], 'repository:a:pull repository:b:pull'],
    [['repository:a:'], 'repository:a:'],
    [[''], ''],
    [['repository'], ''],
    [['repository:a'], ''],
    [[':a:pull'], ''],
    [['repository::pull'], ''],
    [['Repository:a:pull'], ''],
  ])('%j is read as %j', (parameters, expected) => {
    expect(formatScopes(parseScopes(parameters)!)).toBe(expected);
  });

  test('are at most 100 different ones', () => {
    const many = Array.from({ length: 101 }, (_, i) => `repository:r${i}:pull`);
    expect(parseScopes(many)).toBeUndefined();
    expect(parseScopes(many.slice(1))).toHaveLength(100);
    expect(parseScopes([...many.slice(1), ...many.slice(1)])).toHaveLength(100);
  });
});

describe('the Authorization header', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');

  test.each([
    ['jane:pw', { username: 'jane', password: 'pw' }],
    ['jane:', { username: 'jane', password: '' }],
    [':pw', { username: '', password: 'pw' }],
    ['jane:a:b:c', { username: 'jane', password: 'a:b:c' }],
    ['<token>:x', { username: '<token>', password: 'x' }],
    ['jürgen:pässwört \u{1f511}', { username: 'jürgen', password: 'pässwört \u{1f511}' }],
  ])('Basic %j', (text, expected) => {
    expect(parseAuthorization(`Basic ${base64(text)}`)).toEqual({ scheme: 'basic', ...expected });
    expect(parseAuthorization(`bAsIc   ${base64(text)} `)).toEqual({ scheme: 'basic', ...expected });
  });

  test('Bearer', () => {
    expect(parseAuthorization('Bearer a.b-c_d~e+f/g==')).toEqual({ scheme: 'bearer', token: 'a.b-c_d~e+f/g==' });
    expect(parseAuthorization('BEARER x')).toEqual({ scheme: 'bearer', token: 'x' });
  });

  test.each([
    'Basic',
    'Basic ',
    `Basic ${base64('nocolon')}`,
    `Basic ${base64('nul:a\0b')}`,
    `Basic ${Buffer.from([0xff, 0x3a, 0x61]).toString('base64')}`,
    'Basic amFuZTpwdw==\u00a0x',
    'Basic amFu!ZTpwdw==',
    'Basic amFuZTpwdw==,Basic amFuZTpwdw==',
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer a,b',
    'Digest username="jane"',
    'Negotiate abc',
    'amFuZTpwdw==',
    ' Basic amFuZTpwdw==',
    `Bearer ${'x'.repeat(17_000)}`,
  ])('%j is malformed', (header) => {
    expect(parseAuthorization(header)).toBeUndefined();
  });
});

describe.each([
  ['user', 'berth_pat_', '2IlzAd'],
  ['robot', 'berth_bot_', '3jN4nj'],
] as const)('tokens of a %s', (owner, prefix, zeroes) => {
  test('have a prefix, 30 random characters and a checksum', () => {
    const tokens = Array.from({ length: 200 }, () => newToken(owner));
    expect(new Set(tokens).size).toBe(200);
    for (const token of tokens) {
      expect(token).toMatch(/^berth_(pat|bot)_[0-9A-Za-z]{30}_[0-9A-Za-z]{6}$/);
      expect(token.startsWith(prefix)).toBe(true);
      expect(tokenOwner(token)).toBe(owner);
    }
  });

  test('keep their checksum between versions', () => {
    expect(tokenOwner(`${prefix}${'0'.repeat(30)}_${zeroes}`)).toBe(owner);
  });

  test('with a changed character are recognised as mistyped', () => {
    const token = newToken(owner);
    for (let i = 10; i < token.length; i++) {
      if (i === 40) continue;
      const changed = token.slice(0, i) + (token[i] === 'x' ? 'y' : 'x') + token.slice(i + 1);
      expect(tokenOwner(changed), changed).toBeUndefined();
      expect(looksLikeToken(changed)).toBe(true);
    }
    const swapped = owner === 'user' ? token.replace('_pat_', '_bot_') : token.replace('_bot_', '_pat_');
    for (const other of ['', prefix, `${token}x`, ` ${token}`, token.slice(1), token.toUpperCase(), swapped]) {
      expect(tokenOwner(other), other).toBeUndefined();
    }
  });
});
