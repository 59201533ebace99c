/**
 * Tokens of builds made by someone who has read the hub's code, knows the issuer's public keys, and has a token of another audience. All of
 * them are refused like a wrong password, at every door, and none makes the hub ask anybody.
 */
import { createHmac, createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompactEncrypt, CompactSign, exportJWK, generateKeyPair, importJWK, type CryptoKey } from 'jose';
import sql from 'sql-template-tag';
import { afterAll, expect, test } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { basic, expectStatus, send } from '../harness/oci-client.ts';
import { AUDIENCE, buildClaims, register, signingKey, testIssuer, trust, type Claims } from './issuer.ts';

const hub = await testHub();
const issuer = await testIssuer();
const rsa = await signingKey('RS256');
const retired = await signingKey('ES256', 'retired');
// Published without alg: then only the hub's own list says which algorithms a key is for.
const { alg: _alg, ...anyAlgorithm } = rsa.jwk;
issuer.keys = [issuer.key.jwk, anyAlgorithm];
const rs512 = await importJWK({ ...(await exportJWK(rsa.privateKey)), alg: 'RS512' });
const name = await register(hub, issuer);
const unregistered = await testIssuer();
const disabled = await testIssuer();
const disabledName = await register(hub, disabled);
const project = await hub.project();
await trust(hub, name, project, { audience: AUDIENCE });
await trust(hub, disabledName, project);
expectStatus(await hub.api('PATCH', `/issuers/${disabledName}`, { disabled: true }), 200);

let trapped = 0;
const server = createServer((_, response) => {
  trapped++;
  response.end(JSON.stringify({ keys: [evil.jwk] }));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const trap = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const evil = await signingKey('ES256', issuer.key.kid);
const at = Math.floor(Date.now() / 1000);
const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const valid = await issuer.token({ run_id: 'the valid one' });
const [head, body, signature] = valid.split('.') as [string, string, string];
const header = { alg: 'ES256', kid: issuer.key.kid };
const rsaPublic = createPublicKey({ key: rsa.jwk, format: 'jwk' });
const pem = rsaPublic.export({ type: 'spki', format: 'pem' }) as string;

function hmac(alg: string, secret: string | Buffer, kid: string): string {
  const input = `${encode({ alg, kid, typ: 'JWT' })}.${encode(buildClaims(issuer.url))}`;
  return `${input}.${createHmac(`sha${alg.slice(2)}`, secret)
    .update(input)
    .digest('base64url')}`;
}
const byEvil = (more: Record<string, unknown>, claims: Claims = {}) =>
  issuer.token(claims, { key: evil, header: more });
/** By the issuer itself, as text. */
const text = (payload: string, more: Record<string, unknown> = {}) =>
  new CompactSign(Buffer.from(payload))
    .setProtectedHeader({ ...header, ...more })
    .sign(issuer.key.privateKey, { crit: { exp2: true } });
const wrapped = await new CompactEncrypt(Buffer.from(valid))
  .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A128GCM', cty: 'JWT' })
  .encrypt((await generateKeyPair('ECDH-ES')).publicKey);
const es512 = await generateKeyPair('ES512');
const jwkOf = await exportJWK(issuer.key.privateKey);

const forged: [string, string][] = [
  ['no signature', `${head}.${body}.`],
  ['alg none', `${encode({ alg: 'none' })}.${body}.`],
  ['alg None with a signature', `${encode({ alg: 'None', kid: issuer.key.kid })}.${body}.${signature}`],
  ['alg none, signature kept', `${encode({ alg: 'none' })}.${body}.${signature}`],
  ['HS256 with the public key as PEM', hmac('HS256', pem, rsa.kid)],
  ['HS256 with the public key as DER', hmac('HS256', rsaPublic.export({ type: 'spki', format: 'der' }), rsa.kid)],
  ['HS384 with the modulus', hmac('HS384', Buffer.from(rsa.jwk.n!, 'base64url'), rsa.kid)],
  ['HS512 with the JWK', hmac('HS512', JSON.stringify(rsa.jwk), rsa.kid)],
  ['HS256 with an empty secret', hmac('HS256', '', issuer.key.kid)],
  ['another key under the right kid', await byEvil({})],
  ['another key, jwk in the header', await byEvil({ jwk: evil.jwk })],
  ['another key, jku in the header', await byEvil({ jku: `${trap}/keys` })],
  ['another key, x5u in the header', await byEvil({ x5u: `${trap}/cert` })],
  ['another key, x5c in the header', await byEvil({ x5c: [Buffer.from('none').toString('base64')] })],
  ['another key, an unknown kid and jku', await byEvil({ kid: 'unknown', jku: `${trap}/keys` })],
  ['a kid that is a URL', await byEvil({ kid: `${trap}/keys` })],
  ['a kid that is a path', await byEvil({ kid: '../../../../dev/null' })],
  ['a kid that is SQL', await byEvil({ kid: "' or 1=1 --" })],
  ['a kid that is a name of objects', await byEvil({ kid: '__proto__' })],
  ['a kid with NUL', await byEvil({ kid: 'a\0b' })],
  ['a kid that is no text', `${encode({ alg: 'ES256', kid: 7 })}.${body}.${signature}`],
  ['a key that is not published any more', await issuer.token({}, { key: retired })],
  ['crit that nobody knows', await text(JSON.stringify(buildClaims(issuer.url)), { crit: ['exp2'], exp2: 1 })],
  ['another alg of the key', `${encode({ alg: 'ES384', kid: issuer.key.kid })}.${body}.${signature}`],
  ['PS512, which is not among the algorithms', `${encode({ alg: 'PS512', kid: rsa.kid })}.${body}.${signature}`],
  [
    'RS512 by the issuer itself',
    await issuer.token({}, { key: { ...rsa, alg: 'RS512', privateKey: rs512 as CryptoKey } }),
  ],
  ['ES512', await issuer.token({}, { key: { ...evil, alg: 'ES512', privateKey: es512.privateKey } })],
  ['encrypted', wrapped],
  ['claims changed', `${head}.${encode(buildClaims(issuer.url, { sub: 'admin' }))}.${signature}`],
  ['header changed', `${encode({ ...header, typ: 'x' })}.${body}.${signature}`],
  ['signature of zeros', `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`],
  ['signature cut', `${head}.${body}.${signature.slice(0, -8)}`],
  ['signature padded', `${head}.${body}.${signature}==`],
  ['signature with stray bits', `${head}.${body}.${signature.slice(0, -1)}${signature.endsWith('A') ? 'B' : stray()}`],
  ['line break inside', `${head}.${body}.\n${signature}`],
  ['four parts', `${valid}.${signature}`],
  ['two parts', `${head}.${body}`],
  ['wrong audience', await issuer.token({ aud: 'else.example.com' })],
  ['no audience', await issuer.token({ aud: undefined })],
  ['audience longer than wanted', await issuer.token({ aud: `${AUDIENCE}.evil.example` })],
  ['audience in upper case', await issuer.token({ aud: AUDIENCE.toUpperCase() })],
  ['audience an object', await issuer.token({ aud: { [AUDIENCE]: 1 } })],
  ['wrong issuer, right key', await issuer.token({ iss: 'https://else.example.com' })],
  ['issuer with a slash more', await issuer.token({ iss: `${issuer.url}/` })],
  ['issuer in another case', await issuer.token({ iss: issuer.url.toUpperCase() })],
  ['issuer is a list', await issuer.token({ iss: [issuer.url] })],
  ['issuer with NUL', await issuer.token({ iss: `${issuer.url}\0` })],
  ['issuer of half a character', await issuer.token({ iss: `${issuer.url}\ud800` })],
  ['issuer that is the trap', await byEvil({}, { iss: trap })],
  ['no issuer', await issuer.token({ iss: undefined })],
  ['an issuer that nobody registered', await unregistered.token()],
  ['an issuer that is disabled', await disabled.token()],
  ['one issuer’s name, another’s key', await disabled.token({ iss: issuer.url })],
  ['expired', await issuer.token({ exp: at - 61 })],
  ['never ends', await issuer.token({ exp: undefined })],
  ['end is text', await issuer.token({ exp: '9999999999' })],
  ['not yet', await issuer.token({ nbf: at + 300 })],
  ['issued in the future', await issuer.token({ iat: at + 300 })],
  ['issued the day before yesterday', await issuer.token({ iat: at - 2 * 86_400 })],
  ['not issued', await issuer.token({ iat: undefined })],
  ['other claims', await issuer.token({ repository: 'octo/else' })],
  ['claim missing', await issuer.token({ repository: undefined })],
  ['claim is an object', await issuer.token({ repository: { toString: 'octo/app' } })],
  ['claim in another case', await issuer.token({ repository: 'Octo/app' })],
  ['claim with a line more', await issuer.token({ repository: 'octo/app\nelse' })],
  ['payload no JSON', await text('no json')],
  ['payload a list', await text('[]')],
  ['payload null', await text('null')],
  ['huge', await issuer.token({ filler: 'x'.repeat(9_000) })],
  ['the issuer’s private members do not matter', await byEvil({ jwk: { ...evil.jwk, d: jwkOf.d } })],
];

/** Another last letter that decodes to the same bytes. */
function stray(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(signature.at(-1)!) + 1] ?? 'z';
}

const doors = ['/v2/', '/auth/token', '/api/v1/me', `/charts/${project}/index.yaml`, `/files/${project}/x:1/y`];

test('the vectors are made with a token that is good', async () => {
  const Authorization = basic({ username: 'ci', password: valid });
  expectStatus(await send(hub.origin, { path: '/api/v1/me', headers: { Authorization } }), 200);
  await hub.db.query(sql`delete from principals where kind = 'ci_session'`);
  // A key that is not known makes the hub ask; here nothing is to be asked for, however slow the machine.
  await hub.db.query(sql`update issuers set keys_at = now() + interval '1 hour'`);
  issuer.asked.length = 0;
  unregistered.asked.length = 0;
  disabled.asked.length = 0;
});

// What is too large to be believed is refused as it is; the one here is good but for its size in the header.
const refused = forged.filter(([what]) => what !== 'huge');

test.each(refused)('%s', async (_, token) => {
  for (const path of doors) {
    for (const Authorization of [basic({ username: 'ci', password: token }), `Bearer ${token}`]) {
      if (/[\n\r\0]/.test(Authorization)) continue;
      const answer = await send(hub.origin, { path, headers: { Authorization } });
      expect([path, answer.status]).toEqual([path, 401]);
    }
  }
  expect([trapped, unregistered.asked, disabled.asked, issuer.asked]).toEqual([0, [], [], []]);
  const left = await hub.db.first<{ n: number }>(
    sql`select count(*)::int as n from principals where kind = 'ci_session'`,
  );
  expect(left?.n).toBe(0);
});

test('a token that headers have no room for is refused as such', async () => {
  const [, token] = forged.find(([what]) => what === 'huge')!;
  const Authorization = basic({ username: 'ci', password: `${token}${'x'.repeat(6_000)}` });
  const answer = await send(hub.origin, { path: '/api/v1/me', headers: { Authorization } });
  expect([401, 431]).toContain(answer.status);
});
