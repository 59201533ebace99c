/** A real OIDC provider (oidc-provider) that signs tokens for builds, by the client credentials grant. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import { afterAll, expect, test } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { basic, expectStatus, image, send } from '../harness/oci-client.ts';
import { AUDIENCE, trust } from './issuer.ts';

const hub = await testHub();
let handle: (request: IncomingMessage, response: ServerResponse) => void = () => {};
const server = createServer((request, response) => handle(request, response));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/realm`;
const secret = randomBytes(24).toString('hex');
const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'build-of-app',
      client_secret: secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'one' }] },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => `https://${AUDIENCE}`,
      getResourceServerInfo: () => ({
        scope: '',
        audience: AUDIENCE,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  ttl: { ClientCredentials: 300 },
});
const callback = provider.callback();
handle = (request, response) => {
  request.url = request.url?.replace(/^\/realm/, '');
  Object.assign(request, { originalUrl: `/realm${request.url}`, baseUrl: '/realm' });
  void callback(request, response);
};

test('is registered by its discovery, and its tokens push', async () => {
  const made = await hub.api('POST', '/issuers', {
    name: 'peer',
    url: issuer,
    http: true,
    private_addresses: true,
  });
  expect(expectStatus(made, 201).json()).toMatchObject({ kids: ['one'] });
  const project = await hub.project();
  const rule = await trust(hub, 'peer', project, { claims: { client_id: 'build-of-*' } });
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { Authorization: basic({ username: 'build-of-app', password: secret }) },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const Authorization = basic({ username: rule.name, password: token });
  const me = await send(hub.origin, { path: '/api/v1/me', headers: { Authorization } });
  expect(expectStatus(me, 200).json()).toMatchObject({ name: rule.subject, credential: 'ci' });
  const repo = hub.client({ username: 'ci', password: token }).repo(`${project}/app`);
  await repo.mustPushImage(image(), 'v1');
  await repo.mustPull('v1');
  const check = await hub.api('POST', `/projects/${project}/trust-rules/check`, { token });
  expect(check.json()).toMatchObject({ valid: true, rules: [{ matches: true }] });
});
