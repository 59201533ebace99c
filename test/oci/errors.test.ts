import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, unknownDigest } from '../harness/oci-client.ts';
import { expectBareStatus, expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const repo = await hub.repo();
await repo.mustPush(blob());
const anything = (method: string, path: string, headers = {}) =>
  hub.admin.request(method, path, { headers, scopes: [] });

describe('under /v2', () => {
  it.each([
    '/v2/_oci',
    '/v2/_oci/ext/discover',
    '/v2/_catalog/x',
    '/v2/x',
    `/v2/${repo.name}`,
    `/v2/${repo.name}/`,
    `/v2/${repo.name}/nothing`,
    `/v2/${repo.name}/manifests`,
    `/v2/${repo.name}/manifests/`,
    `/v2/${repo.name}/blobs`,
    `/v2/${repo.name}/blobs/`,
    `/v2/${repo.name}/tags`,
    `/v2/${repo.name}/tags/`,
    `/v2/${repo.name}/tags/list/x`,
    `/v2/${repo.name}/referrers`,
    `/v2/${repo.name}/referrers/`,
    `/v2/${repo.name}/blobs/uploads/x/y`,
    '/v2/v2/v2/',
  ])('an unknown path is 404 in JSON: %s', async (path) => {
    expectError(await anything('GET', path), [404, 400, 405]);
    expectError(await anything('GET', path, { Accept: 'text/html' }), [404, 400, 405]);
  });

  it.each([
    ['POST', '/v2/'],
    ['DELETE', '/v2/'],
    ['POST', '/v2/_catalog'],
    ['PUT', `/v2/${repo.name}/tags/list`],
    ['DELETE', `/v2/${repo.name}/tags/list`],
    ['POST', `/v2/${repo.name}/manifests/v1`],
    ['PATCH', `/v2/${repo.name}/manifests/v1`],
    ['PUT', `/v2/${repo.name}/blobs/${unknownDigest()}`],
    ['POST', `/v2/${repo.name}/referrers/${unknownDigest()}`],
    ['PUT', `/v2/${repo.name}/blobs/uploads/`],
    ['GET', `/v2/${repo.name}/blobs/uploads/`],
    ['DELETE', `/v2/${repo.name}/blobs/uploads/`],
  ])('a method that is not there is 405 in JSON with Allow: %s %s', async (method, path) => {
    const answer = await anything(method, path);
    expectError(answer, 405, 'UNSUPPORTED');
    expect(answer.header('Allow')).toBeTruthy();
    expect(answer.header('Allow')?.split(/, */)).not.toContain(method);
  });

  it.each(['TRACE', 'OPTIONS', 'PROPFIND', 'LINK'])('%s is refused in JSON', async (method) => {
    const answer = await anything(method, `/v2/${repo.name}/manifests/v1`);
    expect(answer.status).toBeGreaterThanOrEqual(200);
    expect(answer.status).toBeLessThan(600);
    expect(answer.header('Content-Type') ?? '').not.toMatch(/html/);
    if (answer.status >= 400) expectError(answer, [400, 404, 405, 501]);
  });

  it('an error has a request id of its own, which the log can be searched for', async () => {
    const ids = new Set<string | undefined>();
    for (let time = 0; time < 3; time++) {
      const answer = await repo.getManifest('nope');
      expectError(answer, 404, 'MANIFEST_UNKNOWN');
      ids.add(answer.header('X-Request-Id'));
    }
    expect(ids.size).toBe(3);
  });

  it('an error tells what it is about in its detail', async () => {
    const digest = unknownDigest();
    expect(JSON.stringify(expectError(await repo.getBlob(digest), 404, 'BLOB_UNKNOWN'))).toContain(digest);
  });

  it('a refused HEAD has no body', async () => {
    for (const path of ['/v2/x/y/z', `/v2/${repo.name}/nothing`, `/v2/${repo.name}/manifests/nope`]) {
      expectBareStatus(await anything('HEAD', path), 404);
    }
  });

  it('nothing tells what it runs on', async () => {
    const answer = await anything('GET', '/v2/');
    expect(answer.header('X-Powered-By')).toBeUndefined();
    expect(answer.header('Server') ?? '').not.toMatch(/node|koa|express/i);
  });
});
