import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { basic, image, parseChallenge, send, type Grant } from '../harness/oci-client.ts';
import { expectBareStatus, expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();

describe('GET /v2/', () => {
  it('challenges once, with Bearer, and names no error, when nothing was presented', async () => {
    const answer = await hub.stranger.request('GET', '/v2/');
    expectError(answer, 401, 'UNAUTHORIZED');
    expect(answer.all('WWW-Authenticate')).toHaveLength(1);
    const { scheme, parameters } = parseChallenge(answer.header('WWW-Authenticate') ?? '');
    expect(scheme).toBe('Bearer');
    expect(parameters['realm']).toBe(`${hub.origin}/auth/token`);
    expect(parameters['service']).toBeTruthy();
    expect(parameters).not.toHaveProperty('error');
    expect(parameters).not.toHaveProperty('scope');
  });

  it('challenges also where there is something that anyone may pull', async () => {
    await hub.project({ visibility: 'public' });
    expectError(await hub.stranger.request('GET', '/v2/'), 401, 'UNAUTHORIZED');
  });

  it('challenges a HEAD too', async () => {
    const answer = await hub.stranger.request('HEAD', '/v2/');
    expectBareStatus(answer, 401);
    expect(answer.all('WWW-Authenticate')).toHaveLength(1);
  });

  it('is 200 for a token without any scope, as docker login asks for', async () => {
    const { credentials } = await hub.person();
    const client = hub.client(credentials);
    const token = (
      await client.tokens.ask([], { account: credentials.username, client_id: 'docker', offline_token: 'true' })
    ).json<Grant>();
    const answer = await send(hub.origin, { path: '/v2/', headers: { Authorization: `Bearer ${token.token}` } });
    expect(answer.status).toBe(200);
    expect(answer.header('Content-Type')).toMatch(/^application\/json/);
  });

  it('is 200 for Basic with a good password and 401 with a bad one', async () => {
    const { credentials } = await hub.person();
    expect((await hub.client(credentials, 'basic').request('GET', '/v2/')).status).toBe(200);
    const wrong = hub.client({ ...credentials, password: 'not this' }, 'basic');
    expectError(await wrong.request('GET', '/v2/'), 401, 'UNAUTHORIZED');
  });

  it('gives no token, not even an anonymous one, for bad credentials', async () => {
    const { credentials } = await hub.person();
    const answer = await hub.client({ ...credentials, password: 'not this' }).tokens.ask(['repository:a/b:pull']);
    expect(answer.status).toBe(401);
    expect(answer.body.toString()).not.toContain('"token"');
  });

  it.each(['Bearer', 'Bearer ', 'Bearer x.y.z', 'Basic', 'Basic !!!', 'Basic Og==', 'Digest a="b"', 'x'])(
    'is 401, never 500, for Authorization: %s',
    async (authorization) => {
      const answer = await send(hub.origin, { path: '/v2/', headers: { Authorization: authorization } });
      expectError(answer, 401, 'UNAUTHORIZED');
      expect(answer.all('WWW-Authenticate')).toHaveLength(1);
    },
  );
});

describe('challenges for a repository', () => {
  it('name the scope that the request needs', async () => {
    const answer = await hub.stranger.request('GET', '/v2/some/thing/tags/list');
    expectError(answer, 401, 'UNAUTHORIZED');
    const { parameters } = parseChallenge(answer.header('WWW-Authenticate') ?? '');
    expect(parameters['scope']).toBe('repository:some/thing:pull');
    expect(parameters).not.toHaveProperty('error');
  });

  it('ask for push when something is pushed', async () => {
    const answer = await hub.stranger.request('POST', '/v2/some/thing/blobs/uploads/');
    const scope = parseChallenge(answer.header('WWW-Authenticate') ?? '').parameters['scope'] ?? '';
    expect(scope).toMatch(/^repository:some\/thing:/);
    expect(scope.split(':')[2]?.split(',')).toContain('push');
  });

  it('say insufficient_scope when the token lacks what its owner has', async () => {
    const repo = await hub.repo();
    const answer = await repo.post({}, { scopes: [] });
    expect(answer.status, 'the client asked again with the scope of the challenge').toBe(202);
    await repo.at(answer.header('Location') ?? '', 'DELETE');

    const token = (await hub.admin.tokens.ask([`repository:${repo.name}:pull`])).json<Grant>().token;
    const refused = await send(hub.origin, {
      method: 'POST',
      path: `/v2/${repo.name}/blobs/uploads/`,
      headers: { Authorization: `Bearer ${token}` },
    });
    expectError(refused, 401, ['UNAUTHORIZED', 'DENIED']);
    const { parameters } = parseChallenge(refused.header('WWW-Authenticate') ?? '');
    expect(parameters['error']).toBe('insufficient_scope');
    expect(parameters['scope']).toMatch(new RegExp(`^repository:${repo.name}:.*push`));
  });

  it('are not given to someone who lacks the right: that is 403 DENIED', async () => {
    const reader = await hub.person();
    const project = await hub.project({ visibility: 'public', grants: { [reader.name]: 'reader' } });
    for (const transport of ['bearer', 'basic'] as const) {
      const answer = await hub.client(reader.credentials, transport).repo(`${project}/app`).post();
      expectError(answer, 403, 'DENIED');
    }
  });

  it('hide a private repository: strangers get the challenge, others the same 404 as for what does not exist', async () => {
    const repo = await hub.repo();
    await repo.mustStart().then((location) => repo.at(location, 'DELETE'));
    const { client, credentials } = await hub.person();
    const hidden = await client.repo(repo.name).tags();
    const missing = await client.repo('nobody/nothing').tags();
    expectError(hidden, 404, 'NAME_UNKNOWN');
    expectError(missing, 404, 'NAME_UNKNOWN');
    expectError(await hub.client(credentials, 'basic').repo(repo.name).tags(), 404, 'NAME_UNKNOWN');
    const stranger = await send(hub.origin, {
      path: `/v2/${repo.name}/tags/list`,
      headers: { Authorization: basic({ username: credentials.username, password: 'wrong' }) },
    });
    expectError(stranger, 401, 'UNAUTHORIZED');
  });
});

it('pulls from a public project without credentials, through an anonymous token', async () => {
  const project = await hub.project({ visibility: 'public' });
  const content = image();
  await hub.admin.repo(`${project}/app`).mustPushImage(content, 'v1');
  const bytes = await hub.anonymous.repo(`${project}/app`).mustPull('v1');
  expect(bytes).toEqual(content.manifest.bytes);
  expectError(await hub.anonymous.repo(`${project}/app`).post(), [401, 403], ['UNAUTHORIZED', 'DENIED']);
});
