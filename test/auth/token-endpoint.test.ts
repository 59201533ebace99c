import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import request from 'supertest';
import sql from 'sql-template-tag';
import { beforeAll, describe, expect, test } from 'vitest';
import { changeUser, type User } from '../../src/auth/accounts.ts';
import { InvalidCredentials } from '../../src/auth/errors.ts';
import { createPersonalToken } from '../../src/auth/personal-tokens.ts';
import { createTokenEndpoint } from '../../src/auth/token-endpoint.ts';
import {
  basic,
  bearer,
  HUB,
  newGrant,
  newProject,
  newUser,
  ORIGIN,
  OTHER_ORIGIN,
  PASSWORD,
  testAuth,
} from './harness.ts';

const auth = await testAuth();
const { db } = auth;
let user: User;
let mine: string;
let theirs: string;
let open: string;
let jane: string;

beforeAll(async () => {
  user = await newUser(db);
  jane = basic(user.name, PASSWORD);
  const project = await newProject(db);
  mine = `${project.name}/web`;
  theirs = `${(await newProject(db)).name}/web`;
  open = `${(await newProject(db, 'public')).name}/web`;
  await newGrant(db, project.id, user.id, { role: 'writer' });
});

const SERVICE = 'hub.example.com';
const get = (query: string, authorization?: string) => {
  const call = request(auth.callback).get(`/auth/token?${query}`).set('Host', SERVICE);
  return authorization === undefined ? call : call.set('Authorization', authorization);
};
const post = (form: Record<string, string>) =>
  request(auth.callback).post('/auth/token').set('Host', SERVICE).type('form').send(form);

interface Entry {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}
/** What the token in the answer grants, as scopes. */
const granted = ({ body }: { body: { token: string } }): string[] =>
  decodeJwt<{ access: Entry[] }>(body.token).access.map(
    ({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`,
  );

describe('docker', () => {
  test('login asks without a scope and gets a token with empty access', async () => {
    const answer = await get(
      `account=${user.name}&client_id=docker&offline_token=true&service=${SERVICE}`,
      jane,
    ).expect(200);
    expect(answer.body).toEqual({
      token: expect.any(String),
      access_token: answer.body.token,
      expires_in: 300,
      issued_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(decodeProtectedHeader(answer.body.token)).toEqual({
      alg: 'ES256',
      kid: expect.any(String),
      typ: 'registry+jwt',
    });
    expect(decodeJwt(answer.body.token)).toMatchObject({ iss: ORIGIN, aud: SERVICE, sub: user.name, access: [] });
    expect(await auth.authenticator.authenticate(bearer(answer.body.token))).toMatchObject({ id: user.id });
  });

  test('login with a wrong password fails, so that it does not seem to have worked', async () => {
    const answer = await get(
      `account=x&client_id=docker&offline_token=true&service=${SERVICE}`,
      basic(user.name, 'wrong'),
    ).expect(401);
    expect(answer.headers['www-authenticate']).toBe('Basic realm="Berth", charset="UTF-8"');
    expect(answer.body).toEqual({
      errors: [
        {
          code: 'UNAUTHORIZED',
          message: 'The user name, password or token is not valid.',
          request_id: 'request-id-of-test',
        },
      ],
    });
  });

  test('push asks for pull and push, and for the source of a mount as a second scope', async () => {
    const scopes = `scope=repository%3A${encodeURIComponent(open)}%3Apull&scope=repository%3A${encodeURIComponent(mine)}%3Apull%2Cpush`;
    expect(granted(await get(`account=${user.name}&${scopes}&service=${SERVICE}`, jane).expect(200))).toEqual([
      `repository:${open}:pull`,
      `repository:${mine}:pull,push`,
    ]);
  });

  test('pull without login gets an anonymous token with what anonymous may do', async () => {
    const answer = await get(`scope=repository:${open}:pull&service=${SERVICE}`).expect(200);
    expect(granted(answer)).toEqual([`repository:${open}:pull`]);
    expect(decodeJwt(answer.body.token).sub).toBe('');
    for (const hidden of [mine, theirs, 'missing/web']) {
      expect(granted(await get(`scope=repository:${hidden}:pull,push&service=${SERVICE}`).expect(200))).toEqual([]);
    }
  });

  test('plugins are repositories', async () => {
    expect(granted(await get(`scope=repository(plugin):${mine}:pull&service=${SERVICE}`, jane))).toEqual([
      `repository:${mine}:pull`,
    ]);
  });
});

describe('podman and skopeo', () => {
  test('send the scope of the challenge, an account and Basic', async () => {
    const answer = await get(
      `account=${user.name}&scope=${encodeURIComponent(`repository:${mine}:pull,push`)}&service=${encodeURIComponent(SERVICE)}`,
      jane,
    ).expect(200);
    expect(granted(answer)).toEqual([`repository:${mine}:pull,push`]);
  });

  test('login asks with no scope and no service', async () => {
    expect(granted(await get(`account=${user.name}`, jane).expect(200))).toEqual([]);
  });
});

describe('go-containerregistry (crane, kaniko, cosign, ko)', () => {
  test('sends several scopes in one parameter', async () => {
    const scope = encodeURIComponent(`repository:${mine}:push,pull repository:${open}:pull`);
    expect(granted(await get(`scope=${scope}&service=${SERVICE}`, jane).expect(200))).toEqual([
      `repository:${mine}:pull,push`,
      `repository:${open}:pull`,
    ]);
  });

  test('asks for the catalogue', async () => {
    expect(granted(await get(`scope=registry%3Acatalog%3A%2A&service=${SERVICE}`, jane))).toEqual([
      'registry:catalog:*',
    ]);
  });
});

describe('containerd and BuildKit', () => {
  const form = {
    grant_type: 'password',
    client_id: 'containerd-client',
    access_type: 'offline',
    service: SERVICE,
  };

  test('try POST first, with the scopes joined by spaces', async () => {
    const scope = `repository:${mine}:pull,push repository:${open}:pull`;
    const answer = await post({ ...form, scope, username: user.name, password: PASSWORD }).expect(200);
    expect(answer.body).toEqual({
      token: answer.body.access_token,
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 300,
      issued_at: expect.any(String),
      scope: `repository:${mine}:pull,push repository:${open}:pull`,
    });
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test('fall back to GET when they have an identity token only', async () => {
    const answer = await post({
      ...form,
      client_id: 'buildkit-client',
      grant_type: 'refresh_token',
      refresh_token: 'x',
      scope: '',
    });
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].code).toBe('UNSUPPORTED');
  });

  test('fall back to GET when the password is wrong, and are refused there', async () => {
    await post({ ...form, username: user.name, password: 'wrong', scope: '' }).expect(401);
  });

  test('may bring a personal token as the password, also without a user name', async () => {
    const { token } = await createPersonalToken(db, { name: 'ci', actions: ['pull'] }, { id: user.id });
    for (const username of [user.name, '', '<token>']) {
      const answer = await post({ ...form, username, password: token, scope: `repository:${mine}:pull,push` }).expect(
        200,
      );
      expect(answer.body.scope).toBe(`repository:${mine}:pull`);
    }
  });
});

describe('helm and oras', () => {
  test('post a form for login, with the scope that the challenge had: none', async () => {
    const answer = await post({
      grant_type: 'password',
      service: SERVICE,
      client_id: 'oras-go',
      username: user.name,
      password: PASSWORD,
    }).expect(200);
    expect(answer.body.scope).toBe('');
    expect(granted(answer)).toEqual([]);
  });

  test('sort scopes and repeat the parameter', async () => {
    const query = [
      `service=${SERVICE}`,
      `scope=repository:${open}:pull`,
      `scope=repository:${mine}:delete,pull,push`,
    ].join('&');
    expect(granted(await get(query, jane))).toEqual([`repository:${open}:pull`, `repository:${mine}:pull,push`]);
  });
});

describe('what is granted', () => {
  test('is what was asked for and may be done, and 200 even when that is nothing', async () => {
    const ask = async (scope: string) => granted(await get(`scope=${encodeURIComponent(scope)}`, jane).expect(200));
    expect(await ask(`repository:${mine}:pull,push,delete,*`)).toEqual([`repository:${mine}:pull,push`]);
    expect(await ask(`repository:${mine}:*`)).toEqual([`repository:${mine}:pull,push`]);
    expect(await ask(`repository:${mine}:frobnicate`)).toEqual([]);
    expect(await ask(`repository:${mine}:`)).toEqual([]);
    expect(await ask(`repository:${mine}:admin`)).toEqual([]);
    expect(await ask(`repository:${theirs}:pull`)).toEqual([]);
    expect(await ask('repository:brand-new/web:pull,push')).toEqual(['repository:brand-new/web:pull,push']);
    expect(await ask('repository:ghcr.io/web:pull,push')).toEqual([]);
    expect(await ask('repository:Not-A-Name:pull')).toEqual([]);
    expect(await ask('aws:thing:do')).toEqual([]);
    expect(await ask('registry:something:*')).toEqual([]);
    expect(await ask('nonsense')).toEqual([]);
  });

  test('is for our repositories, also when the name begins with our host, but not with another one', async () => {
    const scope = (host: string) => `scope=repository:${host}/${mine}:pull`;
    expect(granted(await get(scope(SERVICE), jane))).toEqual([`repository:${mine}:pull`]);
    expect(granted(await get(scope('hub.internal:5000'), jane))).toEqual([`repository:${mine}:pull`]);
    expect(granted(await get(scope('evil.example:5000'), jane))).toEqual([]);
  });

  test('does not tell what is hidden from what is missing', async () => {
    const shape = async (path: string) => {
      const { status, body, headers } = await get(`scope=repository:${path}:pull,delete`, jane);
      const { token, access_token: _, issued_at: __, ...rest } = body;
      const { jti: ___, iat: ____, exp: _____, ...claims } = decodeJwt(token);
      return { status, rest, claims, names: Object.keys(headers).sort() };
    };
    expect(await shape(theirs)).toEqual(await shape('missing-project/web'));
  });

  test('never exceeds the limits of a personal token, and carries them along', async () => {
    const limits = { actions: ['pull', 'push'] as const, paths: [`${mine}/**`] };
    const { token } = await createPersonalToken(db, { name: 'narrow', ...limits }, { id: user.id });
    const scope = `repository:${mine}:pull,push,delete repository:${open}:pull`;
    const answer = await get(`scope=${encodeURIComponent(scope)}`, basic(user.name, token));
    expect(granted(answer)).toEqual([`repository:${mine}:pull,push`]);
    const principal = await auth.authenticator.authenticate(bearer(answer.body.token));
    expect(principal.limits).toEqual(limits);
    expect((await auth.gate.mayMountFrom(principal, await auth.facts(open, user.id))).effect).toBe('deny');
  });

  test('is not a way to renew a registry token', async () => {
    const { body } = await get(`scope=repository:${mine}:pull`, jane);
    await get(`scope=repository:${mine}:pull`, bearer(body.token)).expect(401);
  });

  test('ends with a personal token that ends sooner', async () => {
    const owner = await newUser(db);
    const { token } = await createPersonalToken(db, { name: 'short', actions: ['pull'] }, { id: owner.id });
    await db.query(sql`update tokens set expires_at = now() + interval '90 seconds' where principal_id = ${owner.id}`);
    const { body } = await get('', bearer(token)).expect(200);
    expect(body.expires_in).toBeLessThanOrEqual(90);
    expect(body.expires_in).toBeGreaterThan(80);
  });

  test('is nothing for someone who was disabled a moment ago, although the password is remembered', async () => {
    const owner = await newUser(db);
    await get('', basic(owner.name, PASSWORD)).expect(200);
    await changeUser(db, owner.name, { disabled: true }, HUB);
    await get('', basic(owner.name, PASSWORD)).expect(401);
    await post({ grant_type: 'password', username: owner.name, password: PASSWORD }).expect(401);
  });

  test('is nothing when the facts say that the credential is stale, with or without scopes', async () => {
    const endpoint = createTokenEndpoint(auth, [ORIGIN]);
    const principal = await auth.authenticator.authenticate(jane);
    const fresh = await auth.facts('', user.id);
    for (const principalEpoch of [0, principal.epoch + 1]) {
      const who = { principal, facts: { ...fresh, principalEpoch } };
      await expect(endpoint.exchange(who, [], ORIGIN)).rejects.toBeInstanceOf(InvalidCredentials);
    }
  });

  test('goes on for someone of whom something else was taken', async () => {
    const owner = await newUser(db);
    await get('', basic(owner.name, PASSWORD)).expect(200);
    await changeUser(db, owner.name, { admin: true }, HUB);
    const { body } = await get(`scope=repository:${theirs}:pull`, basic(owner.name, PASSWORD)).expect(200);
    expect(decodeJwt(body.token)).toMatchObject({ admin: true, epoch: 2 });
  });
});

describe('names of the hub', () => {
  test.each([
    [SERVICE, ORIGIN, SERVICE],
    ['hub.internal:5000', OTHER_ORIGIN, 'hub.internal:5000'],
    ['evil.example', ORIGIN, SERVICE],
    ['hub.example.com@evil.example', ORIGIN, SERVICE],
  ])('Host %s is issued by %s for %s', async (host, iss, aud) => {
    const { body } = await request(auth.callback)
      .get('/auth/token')
      .set('Host', host)
      .set('X-Forwarded-Host', 'evil.example')
      .expect(200);
    expect(decodeJwt(body.token)).toMatchObject({ iss, aud });
  });

  test('a service that is not ours gets no token', async () => {
    for (const service of ['registry.docker.io', 'evil.example', `${SERVICE}:444`]) {
      const { body } = await get(`service=${service}`, jane).expect(400);
      expect(body.errors[0].message).toMatch(/take service from the WWW-Authenticate header/);
    }
  });
});

describe('bad requests', () => {
  test.each([
    ['no grant type', {}],
    ['another grant type', { grant_type: 'client_credentials' }],
    ['no password', { grant_type: 'password', username: 'jane' }],
  ])('%s: 400', async (_, form) => {
    expect((await post(form)).status).toBe(400);
  });

  test('a body that is no form: 400, which clients take for a reason to fall back', async () => {
    await request(auth.callback).post('/auth/token').send({ grant_type: 'password' }).expect(400);
    await request(auth.callback).post('/auth/token').expect(400);
  });

  test('a form above 64 KiB: 413', async () => {
    const form = { grant_type: 'password', username: 'jane', password: 'x'.repeat(65 * 1024) };
    const answer = await post(form);
    expect(answer.status).toBe(413);
    expect(answer.body.errors[0].code).toBe('SIZE_INVALID');
  });

  test('more than 100 scopes, or so many that the token would not fit: 400', async () => {
    const many = Array.from({ length: 101 }, (_, i) => `repository:r${i}:pull`).join(' ');
    await post({ grant_type: 'password', username: user.name, password: PASSWORD, scope: many }).expect(400);
    const long = Array.from({ length: 90 }, (_, i) => `repository:${mine}/${'x'.repeat(120)}${i}:pull`).join(' ');
    const answer = await post({ grant_type: 'password', username: user.name, password: PASSWORD, scope: long }).expect(
      400,
    );
    expect(answer.body.errors[0].message).toBe('Ask for fewer repositories at once.');
  });

  test('another path below /auth: 404 in JSON', async () => {
    for (const path of ['/auth', '/auth/', '/auth/nothing', '/auth/token/x']) {
      const answer = await request(auth.callback).get(path).expect(404);
      expect(answer.body.errors[0].code).toBe('UNSUPPORTED');
    }
    await request(auth.callback).delete('/auth/token').expect(404);
  });

  test('nothing of this was a fault of the hub', () => {
    expect(auth.reported).toEqual([]);
  });
});

test('the published keys verify the tokens, with any JWT library', async () => {
  const { body } = await get(`scope=repository:${mine}:pull`, jane);
  const jwks = await request(auth.callback).get('/auth/jwks').expect(200);
  expect(jwks.headers['cache-control']).toBe('public, max-age=300');
  const { payload } = await jwtVerify(body.token, createLocalJWKSet(jwks.body), { issuer: ORIGIN, audience: SERVICE });
  expect(payload.sub).toBe(user.name);
});
