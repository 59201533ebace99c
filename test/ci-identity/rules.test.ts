/** What administrators and owners say about builds: issuers, trust rules, and the dry run. */
import { generateKeyPairSync } from 'node:crypto';
import sql from 'sql-template-tag';
import { describe, expect, test } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { basic, expectStatus, send, unique, type Answer } from '../harness/oci-client.ts';
import { AUDIENCE, register, signingKey, testIssuer, trust } from './issuer.ts';

const hub = await testHub();
const issuer = await testIssuer();
const name = await register(hub, issuer, { kind: 'github' });
const owner = await hub.person();
const project = await hub.project({ grants: { [owner.name]: 'owner' } });

const trusted = { http: true, private_addresses: true };
const publicJwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });

function as(credentials: typeof owner.credentials, method: string, path: string, body?: unknown): Promise<Answer> {
  return send(hub.origin, {
    method,
    path: `/api/v1${path}`,
    headers: { Authorization: basic(credentials), 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}
const detail = (answer: Answer): string => answer.json<{ detail: string }>().detail;
const me = (token: string, username = 'ci') =>
  send(hub.origin, {
    path: '/api/v1/me',
    headers: { Authorization: basic({ username, password: token }) },
  });

describe('an issuer', () => {
  test('is registered with its keys, shown, and listed to owners', async () => {
    const shown = expectStatus(await hub.api('GET', `/issuers/${name}`), 200).json<Record<string, unknown>>();
    expect(shown).toEqual({
      name,
      url: issuer.url,
      kind: 'github',
      pasted: false,
      ...trusted,
      kids: [issuer.key.kid],
      keys_at: expect.any(String),
      disabled: false,
      created_at: expect.any(String),
    });
    expectStatus(await as(owner.credentials, 'GET', '/issuers'), 403);
    const seen = expectStatus(await as(owner.credentials, 'GET', `/projects/${project}/issuers`), 200);
    expect(seen.json<{ items: unknown[] }>().items).toContainEqual({
      name,
      url: issuer.url,
      kind: 'github',
      disabled: false,
    });
    expectStatus(
      await hub.api('POST', '/issuers', { name, url: 'https://x.example', jwks: { keys: [publicJwk] } }),
      409,
    );
    expectStatus(await hub.api('POST', '/issuers', { name: 'twice', url: issuer.url, ...trusted }), 409);
  });

  test('that cannot be used is refused, with a sentence that says why', async () => {
    const other = await testIssuer();
    const refused = async (more: Record<string, unknown>) =>
      detail(
        expectStatus(await hub.api('POST', '/issuers', { name: 'bad', url: other.url, ...trusted, ...more }), 400),
      );
    expect(await refused({ http: false })).toContain('needs http to be allowed');
    expect(await refused({ private_addresses: false })).toContain('private address');
    expect(await refused({ url: 'http://169.254.169.254' })).toContain('nothing is asked at');
    expect(await refused({ url: hub.origin })).toContain('does not trust itself');
    other.discovery = { issuer: `${other.url}/`, jwks_uri: `${other.url}/keys` };
    expect(await refused({})).toContain('letter by letter');
    other.discovery = { issuer: other.url };
    expect(await refused({})).toContain('no jwks_uri');
    other.discovery = { issuer: other.url, jwks_uri: 'http://169.254.169.254/keys' };
    expect(await refused({})).toContain('nothing is asked at');
    other.discovery = { issuer: other.url, jwks_uri: `${other.url}/keys` };
    other.keys = [{ kty: 'oct', k: 'c2VjcmV0' }];
    expect(await refused({})).toContain('no public key that signs');
    other.away = true;
    expect(await refused({})).toContain('cannot be asked');
    expect(await refused({ jwks: { keys: [] } })).toContain('no public key that signs');
    expectStatus(await hub.api('GET', '/issuers/bad'), 404);
  });

  test('whose keys were pasted is never asked, and keeps nothing but public members', async () => {
    const other = await testIssuer();
    const { jwk } = other.key;
    const pasted = { keys: [{ ...jwk, d: 'secret-member', x5c: ['certificate'] }] };
    const made = await register(hub, other, { jwks: pasted, http: true });
    const home = await hub.project();
    const rule = await trust(hub, made, home);
    expectStatus(await me(await other.token(), rule.subject), 200);
    expectStatus(await me(await other.token({}, { header: { kid: 'unknown' } }), rule.subject), 401);
    expect(other.asked).toEqual([]);
    const row = await hub.db.first<{ keys: string }>(sql`select keys::text from issuers where name = ${made}`);
    expect(row?.keys).not.toMatch(/secret-member|certificate/);
    const next = await signingKey();
    expectStatus(await hub.api('PATCH', `/issuers/${made}`, { jwks: { keys: [next.jwk] } }), 200);
    expectStatus(await me(await other.token(), rule.subject), 401);
    expectStatus(await me(await other.token({}, { key: next }), rule.subject), 200);
  });

  test('that is disabled ends its sessions, and is not removed while rules rest on it', async () => {
    const other = await testIssuer();
    const made = await register(hub, other);
    const home = await hub.project();
    const rule = await trust(hub, made, home);
    const token = await other.token();
    expectStatus(await me(token, rule.subject), 200);
    const kept = expectStatus(await hub.api('DELETE', `/issuers/${made}`), 409);
    expect(kept.json<{ type: string }>().type).toBe('urn:berth:problem:in-use');
    expectStatus(await me(token, rule.subject), 200);
    expectStatus(await hub.api('PATCH', `/issuers/${made}`, { disabled: true }), 200);
    expectStatus(await me(token, rule.subject), 401);
    const check = await hub.api('POST', `/projects/${home}/trust-rules/check`, { token });
    expect(check.json()).toMatchObject({ valid: false, rules: [{ matches: false }] });
    expectStatus(await hub.api('PATCH', `/issuers/${made}`, { disabled: false }), 200);
    expectStatus(await me(token, rule.subject), 200);
    expectStatus(await hub.api('DELETE', `/projects/${home}/trust-rules/${rule.name}`), 204);
    expectStatus(await hub.api('DELETE', `/issuers/${made}`), 204);
    expectStatus(await me(token, rule.subject), 401);
  });
});

describe('a trust rule', () => {
  const rule = { issuer: name, audience: AUDIENCE, claims: { repository: 'octo/app' } };
  const path = `/projects/${project}/trust-rules`;

  test('is made, shown, changed under If-Match, and removed by an owner', async () => {
    const made = await as(owner.credentials, 'POST', path, { name: 'deploy', ...rule });
    expect(expectStatus(made, 201).json()).toEqual({
      name: 'deploy',
      subject: `${project}/deploy`,
      ...rule,
      session_minutes: 60,
      disabled: false,
      hints: [
        'Every branch and tag may use this rule, and whoever can push one; bind ref or environment.',
        'Names can be given up and taken by others; repository_owner_id cannot.',
      ],
      created_at: expect.any(String),
    });
    expectStatus(await as(owner.credentials, 'POST', path, { name: 'deploy', ...rule }), 409);
    const one = expectStatus(await as(owner.credentials, 'GET', `${path}/deploy`), 200);
    const list = expectStatus(await as(owner.credentials, 'GET', path), 200);
    expect(list.json<{ items: unknown[] }>().items).toEqual([one.json()]);
    const changed = await send(hub.origin, {
      method: 'PATCH',
      path: `/api/v1${path}/deploy`,
      headers: {
        Authorization: basic(owner.credentials),
        'Content-Type': 'application/json',
        'If-Match': '"stale"',
      },
      body: '{"session_minutes":5}',
    });
    expectStatus(changed, 412);
    expectStatus(await as(owner.credentials, 'PATCH', `${path}/deploy`, { session_minutes: 5 }), 200);
    expectStatus(await as(owner.credentials, 'DELETE', `${path}/deploy`), 204);
    expectStatus(await as(owner.credentials, 'GET', `${path}/deploy`), 404);
    const stranger = await hub.person();
    expectStatus(await as(stranger.credentials, 'GET', path), 404);
    expectStatus(await as(stranger.credentials, 'POST', path, { name: 'mine', ...rule }), 404);
  });

  test.each([
    [{ name: 'Upper' }, 'named'],
    [{ name: 'check' }, 'not check'],
    [{ name: 'a/b' }, 'named'],
    [{ issuer: 'nobody' }, 'no issuer'],
    [{ claims: {} }, 'at least one claim'],
    [{ claims: { repository: '*' } }, 'at least one claim'],
    [{ claims: { repository: '**/app', ref: 'refs/heads/main' } }, 'Bind one of'],
    [{ claims: { ref: 'refs/heads/main' } }, 'Bind one of'],
    [{ claims: { aud: 'x', repository: 'octo/app' } }, 'not bound here'],
    [{ claims: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`c${i}`, 'x'])) }, 'at most 16'],
    [{ session_minutes: 361 }, ''],
    [{ session_minutes: 0 }, ''],
    [{ audience: '' }, ''],
    [{ audience: 'a\u0000b' }, ''],
    [{ claims: { repository: 7 } }, ''],
  ])('%j is refused', async (more, why) => {
    const answer = await as(owner.credentials, 'POST', path, { name: unique('r'), ...rule, ...more });
    expect(expectStatus(answer, 400).body.toString()).toContain(why);
  });

  test.each([
    [{ repository: 'octo/*' }, { repository: 'octo/app' }, true],
    [{ repository: 'octo/*' }, { repository: 'octo/app/x' }, false],
    [{ repository: 'octo/**' }, { repository: 'octo/app/x' }, true],
    [{ repository: 'octo/*' }, { repository: 'octocat/app' }, false],
    [{ sub: 'repo:octo/app:ref:refs/heads/*' }, {}, true],
    [{ sub: 'repo:octo/app:ref:refs/heads/*' }, { sub: 'repo:octo/app:pull_request' }, false],
    [{ repository: 'octo/app', ref: 'refs/tags/v*' }, { ref: 'refs/tags/v1.2' }, true],
    [{ repository: 'octo/app', ref: 'refs/tags/v*' }, { ref: 'refs/heads/v1.2' }, false],
    [{ repository: 'octo/app', groups: 'ops' }, { groups: ['dev', 'ops'] }, true],
    [{ repository: 'octo/app', groups: 'ops' }, { groups: ['dev', 'ops2'] }, false],
    [{ repository: 'octo/app', run: '7' }, { run: 7 }, true],
    [{ repository: 'octo/app', protected: 'true' }, { protected: true }, true],
    [{ repository: 'octo/app', '/k8s.io/pod/name': 'p*' }, { 'k8s.io': { pod: { name: 'p1' } } }, true],
    [{ repository: 'octo/app', '/k8s.io/pod': 'p*' }, { 'k8s.io': { pod: { name: 'p1' } } }, false],
    [{ repository: 'octo/app', constructor: 'function*' }, {}, false],
    [{ repository: 'octo/.pp' }, {}, false],
  ])('with %j and a token with %j: %s', async (claims, given, fits) => {
    const home = await hub.project();
    const made = await trust(hub, name, home, { claims });
    const token = await issuer.token(given);
    const check = expectStatus(await hub.api('POST', `/projects/${home}/trust-rules/check`, { token }), 200);
    expect(check.json()).toMatchObject({ valid: true, issuer: name, rules: [{ rule: made.name, matches: fits }] });
    expect((await me(token, made.subject)).status).toBe(fits ? 200 : 401);
  });
});

describe('the dry run', () => {
  test('says for each rule why not, opens no session and keeps nothing', async () => {
    const home = await hub.project();
    await trust(hub, name, home, { name: 'a', audience: 'else' });
    await trust(hub, name, home, { name: 'b', claims: { repository: 'octo/else' } });
    await trust(hub, name, home, { name: 'c' });
    const token = await issuer.token();
    const path = `/projects/${home}/trust-rules/check`;
    const answer = expectStatus(await hub.api('POST', path, { token }), 200);
    expect(answer.json()).toMatchObject({
      valid: true,
      claims: { repository: 'octo/app', iss: issuer.url },
      rules: [
        { rule: 'a', matches: false, reasons: [`The token is for ["${AUDIENCE}"], the rule wants "else".`] },
        { rule: 'b', matches: false, reasons: ['repository is "octo/app", the rule wants "octo/else".'] },
        { rule: 'c', matches: true, reasons: [] },
      ],
    });
    const old = await issuer.token({ exp: 1 });
    expect((await hub.api('POST', path, { token: old })).json()).toMatchObject({
      valid: false,
      reason: 'The token has expired, or was issued more than a day ago.',
      rules: [{}, {}, { matches: false }],
    });
    const forged = await issuer.token({}, { key: await signingKey('ES256', issuer.key.kid) });
    expect((await hub.api('POST', path, { token: forged })).json()).toMatchObject({ valid: false });
    expect((await hub.api('POST', path, { token: 'nothing' })).json()).toMatchObject({ valid: false, rules: [] });
    expect((await hub.api('GET', `/projects/${home}/ci-sessions`)).json()).toEqual({ items: [] });
    const rows = await hub.db.query<{ row: string }>(sql`
      select to_jsonb(e)::text as row from events e union all select to_jsonb(i)::text from idempotency_keys i`);
    for (const each of [token, old, forged]) {
      expect(rows.filter(({ row }) => row.includes(each.split('.')[2]!))).toEqual([]);
    }
  });
});

test('changes are in the audit trail', async () => {
  const actions = async () => {
    const answer = expectStatus(await hub.api('GET', '/audit?limit=1000'), 200);
    return answer.json<{ items: { action: string }[] }>().items.map(({ action }) => action);
  };
  await expect
    .poll(actions, { timeout: 10_000, interval: 20 })
    .toEqual(
      expect.arrayContaining([
        'issuer.created',
        'issuer.updated',
        'issuer.removed',
        'trust_rule.created',
        'trust_rule.updated',
        'trust_rule.removed',
        'ci.session_opened',
      ]),
    );
});
