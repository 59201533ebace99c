/**
 * Registry tokens that were not issued by the hub, made by someone who has read its code, knows its public keys, and holds a
 * valid token of their own. All of them have to be refused.
 */
import { createHmac, createPublicKey, randomBytes } from 'node:crypto';
import { CompactEncrypt, CompactSign, exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';

export interface Material {
  /** A token that is valid. */
  readonly valid: string;
  /** A valid one of other rights, of the same hub. */
  readonly other: string;
  /** The hub's published key. */
  readonly jwk: JWK;
  /** The hub's own private key: what the hub signed, it must still check. */
  readonly hubKey: Parameters<CompactSign['sign']>[0];
  readonly now: number;
  /** A web server that tells on whoever asks it. */
  readonly trap: string;
}

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Names and tokens. */
export async function forgeries(material: Material): Promise<[name: string, token: string][]> {
  const { valid, other, jwk, hubKey, now, trap } = material;
  const [head, body, signature] = valid.split('.') as [string, string, string];
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
  const evil = await generateKeyPair('ES256', { extractable: true });
  const evilJwk = await exportJWK(evil.publicKey);
  const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }) as string;
  const der = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' });

  /** Parts as given, with the signature of the valid token. */
  const kept = (newHeader: unknown, newClaims: unknown = claims) =>
    `${encode(newHeader)}.${encode(newClaims)}.${signature}`;
  const unsigned = (newHeader: unknown, newClaims: unknown = claims) => `${encode(newHeader)}.${encode(newClaims)}.`;
  const hmac = (alg: string, secret: string | Buffer) => {
    const input = `${encode({ ...header, alg })}.${encode({ ...claims, admin: true })}`;
    const hash = `sha${alg.slice(2)}`;
    return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
  };
  const sign = (payload: string | object, more: Record<string, unknown>, key: typeof hubKey = evil.privateKey) =>
    new CompactSign(Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)))
      .setProtectedHeader({ ...header, ...more } as never)
      .sign(key);
  /** Signed by the hub itself, as a bug elsewhere might make it do. */
  const hub = (change: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    sign({ ...claims, ...change }, more, hubKey);
  const without = (name: string) => {
    const { [name]: _, ...rest } = claims;
    return sign(rest, {}, hubKey);
  };
  /** The payload as text, where JSON.stringify would not write it so. */
  const text = (change: (json: string) => string) => sign(change(JSON.stringify(claims)), {}, hubKey);
  const rs = await generateKeyPair('RS256', { extractable: true });
  const ed = await generateKeyPair('EdDSA', { extractable: true });
  const es384 = await generateKeyPair('ES384', { extractable: true });
  const exp = claims['exp'] as number;

  return [
    // Algorithms
    ...['none', 'None', 'NONE', 'nOnE', '', ' none', 'none '].flatMap((alg): [string, string][] => [
      [`alg ${JSON.stringify(alg)} without a signature`, unsigned({ ...header, alg })],
      [`alg ${JSON.stringify(alg)} with a signature`, kept({ ...header, alg })],
    ]),
    ['no alg', unsigned({ typ: header['typ'], kid: header['kid'] })],
    ['alg null', kept({ ...header, alg: null })],
    ['alg as a list', kept({ ...header, alg: ['ES256'] })],
    ['alg in lower case', kept({ ...header, alg: 'es256' })],
    ['HS256 with the public key as PEM', hmac('HS256', pem)],
    ['HS256 with the public key as PEM, no newline at the end', hmac('HS256', pem.trim())],
    ['HS256 with the public key as DER', hmac('HS256', der)],
    ['HS256 with the public key as JWK', hmac('HS256', JSON.stringify(jwk))],
    ['HS256 with the x coordinate', hmac('HS256', Buffer.from(jwk.x as string, 'base64url'))],
    ['HS256 with an empty key', hmac('HS256', '')],
    ['HS256 with the key id', hmac('HS256', header['kid'] as string)],
    ['HS384 with the public key as PEM', hmac('HS384', pem)],
    ['HS512 with the public key as PEM', hmac('HS512', pem)],
    ['RS256 with a key of their own', await sign(claims, { alg: 'RS256' }, rs.privateKey)],
    ['EdDSA with a key of their own', await sign(claims, { alg: 'EdDSA' }, ed.privateKey)],
    ['ES384 with a key of their own', await sign(claims, { alg: 'ES384' }, es384.privateKey)],

    // Keys
    ['a key of their own under our key id', await sign(claims, {})],
    ['a key embedded as jwk', await sign(claims, { jwk: evilJwk })],
    ['a key embedded as jwk with our key id in it', await sign(claims, { jwk: { ...evilJwk, kid: header['kid'] } })],
    ['a key fetched by jku', await sign(claims, { jku: `${trap}/keys.json` })],
    ['a certificate fetched by x5u', await sign(claims, { x5u: `${trap}/cert.pem` })],
    ['a certificate embedded as x5c', await sign(claims, { x5c: [der.toString('base64')] })],
    ['our signature with a jwk beside', kept({ ...header, jwk: evilJwk })],
    ['the hub signs, with a jwk beside', await hub({}, { jwk: evilJwk })],
    ['the hub signs, with a jku beside', await hub({}, { jku: `${trap}/keys.json` })],
    ['the hub signs, with an x5t#S256 beside', await hub({}, { 'x5t#S256': 'AAAA' })],
    ['no kid', await sign(claims, { kid: undefined }, hubKey)],
    ['kid that is a path', await sign(claims, { kid: '../../dev/null' })],
    ['kid that is SQL', await sign(claims, { kid: "x' union select 'secret" })],
    ['kid that is a query object', await sign(claims, { kid: { $ne: '' } })],
    ['kid that is a URL', await sign(claims, { kid: `${trap}/key` })],
    ['kid that is a number', await sign(claims, { kid: 0 })],
    ['kid __proto__', await sign(claims, { kid: '__proto__' })],
    ['kid of a key that does not exist', await sign(claims, { kid: randomBytes(32).toString('base64url') })],

    // Header
    ['typ JWT', await hub({}, { typ: 'JWT' })],
    ['typ at+jwt', await hub({}, { typ: 'at+jwt' })],
    ['no typ', await hub({}, { typ: undefined })],
    ['typ in capitals with a media type', await hub({}, { typ: 'application/REGISTRY+JWT' })],
    ['crit that nobody understands', `${encode({ ...header, crit: ['x'], x: 1 })}.${body}.${signature}`],
    ['crit that is empty', kept({ ...header, crit: [] })],
    ['unencoded payload (b64 false)', kept({ ...header, crit: ['b64'], b64: false })],
    ['zip', await hub({}, { zip: 'DEF' })],
    ['cty JWT, a token within a token', await sign(valid, { cty: 'JWT' }, hubKey)],
    ['a token within a token, without cty', await sign(valid, {}, hubKey)],
    ['header that is a list', `${encode([header])}.${body}.${signature}`],
    ['header that is no JSON', `${encode('{alg:ES256}')}.${body}.${signature}`],
    [
      'header with alg twice',
      `${encode(`{"alg":"none","alg":"ES256","kid":"${String(header['kid'])}","typ":"registry+jwt"}`)}.${body}.`,
    ],

    // Claims that the hub did sign, but not like this
    ['exp in the past', await hub({ iat: now - 600, exp: now - 300 })],
    ['exp as a string', await hub({ exp: String(exp) })],
    ['exp as a fraction', await text((json) => json.replace(`"exp":${exp}`, `"exp":${exp}.5`))],
    ['exp negative', await hub({ exp: -1 })],
    ['exp 1e400', await text((json) => json.replace(`"exp":${exp}`, '"exp":1e400'))],
    ['exp null', await hub({ exp: null })],
    ['no exp', await without('exp')],
    ['no iat', await without('iat')],
    ['iat an hour ago, exp tomorrow', await hub({ iat: now - 3_600, exp: now + 86_400 })],
    ['iat in the future', await hub({ iat: now + 3_600, exp: now + 3_900 })],
    ['iat as a string', await hub({ iat: 'now' })],
    ['nbf in the future', await hub({ nbf: now + 3_600 })],
    ['another issuer', await hub({ iss: 'https://evil.example' })],
    ['our issuer with a slash', await hub({ iss: `${String(claims['iss'])}/` })],
    ['issuer as a list', await hub({ iss: [claims['iss']] })],
    ['no issuer', await without('iss')],
    ['another audience', await hub({ aud: 'evil.example' })],
    ['audience as a list with ours', await hub({ aud: ['evil.example', claims['aud']] })],
    ['audience as a list of ours alone', await hub({ aud: [claims['aud']] })],
    ['audience of our other name', await hub({ aud: 'hub.internal:5000' })],
    ['no audience', await without('aud')],
    ['no subject', await without('sub')],
    ['subject as a number', await hub({ sub: 1 })],
    ['no principal', await without('pid')],
    ['principal as a string', await hub({ pid: '1' })],
    ['principal negative', await hub({ pid: -1 })],
    ['no epoch', await without('epoch')],
    ['admin as a string', await hub({ admin: 'true' })],
    ['kind unknown', await hub({ kind: 'root' })],
    ['access as an object', await hub({ access: { 'acme/web': ['pull'] } })],
    ['actions as a string', await hub({ access: [{ type: 'repository', name: 'acme/web', actions: 'pull' }] })],
    ['limits that are empty', await hub({ limits: {} })],
    ['payload that is a list', await sign([claims], {}, hubKey)],
    ['payload that is a string', await sign('"jane"', {}, hubKey)],
    ['payload that is null', await sign('null', {}, hubKey)],
    ['payload that is empty', await sign('', {}, hubKey)],

    // Wire form
    ['changed claims under the old signature', kept(header, { ...claims, admin: true })],
    ['the payload of another token', `${head}.${other.split('.')[1]}.${signature}`],
    ['the signature of another token', `${head}.${body}.${other.split('.')[2]}`],
    ['no signature', `${head}.${body}.`],
    ['no third part', `${head}.${body}`],
    ['four parts', `${valid}.${signature}`],
    ['detached payload', `${head}..${signature}`],
    ['signature cut', valid.slice(0, -4)],
    ['signature of zeros', `${head}.${body}.${encode('\0'.repeat(64))}`],
    [
      'signature in DER',
      `${head}.${body}.${Buffer.concat([Buffer.from('3044', 'hex'), Buffer.from(signature, 'base64url')]).toString('base64url')}`,
    ],
    ['padding', `${head}=.${body}.${signature}`],
    ['padding at the end', `${valid}==`],
    ['another last character with the same leading bits', valid.slice(0, -1) + nextCharacter(valid.at(-1) as string)],
    ['a newline inside', `${head}.\n${body}.${signature}`],
    ['a space at the end of the header', `${head} .${body}.${signature}`],
    [
      'standard base64',
      `${Buffer.from(JSON.stringify({ ...header, pad: '>>>???' })).toString('base64')}.${body}.${signature}`,
    ],
    [
      'an encrypted token',
      await new CompactEncrypt(Buffer.from(valid))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .encrypt(randomBytes(32)),
    ],
    ['JSON serialisation', JSON.stringify({ payload: body, protected: head, signature })],
    ['a megabyte', `${head}.${encode('x'.repeat(1_000_000))}.${signature}`],
    ['8 KiB and one byte, signed by the hub', await padded(claims, header, hubKey)],
    ['nothing', '.'],
    ['dots', '..'],
  ];
}

/** 64 bytes leave four bits of the last character unused. */
function nextCharacter(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(character) + 1] as string;
}

/** Valid in every other respect, but longer than the hub issues. */
async function padded(claims: Record<string, unknown>, header: Record<string, unknown>, key: Material['hubKey']) {
  return new SignJWT({ ...claims, pad: 'x'.repeat(8_192) }).setProtectedHeader(header as never).sign(key);
}
