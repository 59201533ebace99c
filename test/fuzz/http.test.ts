import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { basic, blob, describe as descriptor, EMPTY_JSON, image, MEDIA, send, type Answer, type Ask } from '../harness/oci-client.ts';
import { spoiled } from './documents.ts';
import { RUNS, SEARCH, timeout } from './runs.ts';

const hub = await testHub();
const repo = await hub.repo({ allowSparse: true });
const content = blob(5_000);
const pushed = image({ layers: [100] });
await repo.mustPush(content);
await repo.mustPush(EMPTY_JSON);
await repo.mustPushImage(pushed, 'v1');
const authorization = basic(hub.adminCredentials);
const ask = (what: Ask) => send(hub.origin, { ...what, headers: { Authorization: authorization, ...what.headers } });

/** Never the hub's fault, never HTML; an error is one that clients can read. */
function expectSane(answer: Answer, note: unknown): void {
  expect(answer.status, JSON.stringify(note)).toBeLessThan(500);
  expect(answer.header('Content-Type') ?? '').not.toMatch(/html/);
  if (answer.status < 400 || answer.body.length === 0 || answer.status === 416) return;
  const { errors } = answer.json<{ errors: { code: string; message: string }[] }>();
  expect(errors[0]?.code).toMatch(/^[A-Z_]+$/);
  expect(errors[0]?.message).toBeTruthy();
}

/** What Node's client lets through in a path; everything else goes percent-encoded. */
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(repo.name, 'v1', content.digest, pushed.manifest.digest, 'blobs', 'uploads', 'manifests', 'tags', 'list', 'referrers', '_catalog', '') },
  { weight: 2, arbitrary: fc.string({ unit: fc.constantFrom(...'aZ0._-:@~!$&\'()*+,;='), maxLength: 20 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 10 }).map((text) => encodeURIComponent(text.toWellFormed())) },
  { weight: 1, arbitrary: fc.constantFrom('..', '.', '%2e%2e', '%2F', '%2f..', '%00', '%', '%zz', '%ff', '%c0%af', '%e0%80', ';', '*', '%0d%0a') },
);
const path = fc.oneof(
  fc.array(piece, { maxLength: 6 }).map((pieces) => `/v2/${pieces.join('/')}`),
  piece.map((text) => `/v2/${repo.name}/manifests/${text}`),
  piece.map((text) => `/v2/${repo.name}/blobs/${text}`),
  piece.map((text) => `/v2/${repo.name}/blobs/uploads/${text}`),
  piece.map((text) => `/v2/${repo.name}/referrers/${text}`),
  piece.map((text) => `/v2/${text}/tags/list`),
);
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }).map((odd) => odd.toWellFormed()),
  fc.constantFrom('', '0', '-1', '1', '99999999999999999999', '1e9', 'NaN', '\0', 'ü', 'null', '[]', "' or 1=1 --", content.digest, repo.name, 'sha512', 'x'.repeat(3_000)),
);
const query = fc
  .array(fc.tuple(fc.constantFrom('n', 'last', 'ns', 'tag', 'digest', 'mount', 'from', 'digest-algorithm', 'artifactType', 'after', '__proto__', 'x'), text), { maxLength: 4 })
  .map((pairs) => (pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`));
/** Header values that a client can send at all: no control characters. */
const value = fc.string({ unit: fc.constantFrom(...'abz019-=,;:/*"W \t\u00fc?&'), maxLength: 40 }).map((odd) => odd.trim());

describe('whatever is asked under /v2', () => {
  it('is answered: paths and queries', async () => {
    const requests = fc.tuple(fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS'), path, query);
    await fc.assert(
      fc.asyncProperty(requests, async ([method, where, what]) => {
        // Nothing that the next input needs may go away.
        if (method === 'DELETE' && /v1|sha256/.test(decodeURIComponent(where.replaceAll(/%(?![0-9a-f]{2})/gi, '%25').replaceAll(/%[89a-f][0-9a-f]/gi, '')))) return;
        expectSane(await ask({ method, path: where + what }), [method, where + what]);
      }),
      SEARCH,
    );
    expect((await repo.getManifest('v1')).body).toEqual(pushed.manifest.bytes);
  }, timeout(20));

  it('is answered: headers of reads', async () => {
    const range = fc.oneof(
      value,
      fc.array(fc.tuple(fc.nat(6_000), fc.nat(6_000)), { minLength: 1, maxLength: 40 }).map((list) => `bytes=${list.map(([one, other]) => `${one}-${other}`).join(',')}`),
      fc.string({ unit: fc.constantFrom(...'bytes=0123456789-, '), maxLength: 30 }).map((odd) => odd.trim()),
    );
    const headers = fc.record(
      { Range: range, 'If-Range': value, 'If-None-Match': value, 'If-Match': value, Accept: value, 'Accept-Encoding': value, Host: value, 'X-Request-Id': value },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('GET', 'HEAD'), headers, fc.boolean(), async (method, sent, ofBlob) => {
        const where = ofBlob ? `/blobs/${content.digest}` : '/manifests/v1';
        const answer = await ask({ method, path: `/v2/${repo.name}${where}`, headers: sent });
        expectSane(answer, sent);
        if (answer.status === 200 && method === 'GET') expect(answer.body).toEqual(ofBlob ? content.bytes : pushed.manifest.bytes);
        if (answer.status === 206) expect(answer.body.length).toBeLessThan(content.size + 40 * 200);
      }),
      SEARCH,
    );
  }, timeout(20));

  it('is answered: chunks and their ranges', async () => {
    let location = await repo.mustStart();
    const range = fc.oneof(value, fc.tuple(fc.nat(300), fc.nat(300)).map(([one, other]) => `${one}-${other}`), fc.string({ unit: fc.constantFrom(...'0123456789- /*bytes'), maxLength: 20 }).map((odd) => odd.trim()));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('PATCH', 'PUT'), range, fc.nat(200), fc.boolean(), async (method, contentRange, length, streamed) => {
        const bytes = Buffer.alloc(length, 'x');
        const answer = await ask({
          method,
          path: `${new URL(location, hub.origin).pathname}${method === 'PUT' ? `?digest=${content.digest}` : ''}`,
          headers: contentRange === '' ? {} : { 'Content-Range': contentRange },
          body: streamed ? () => [bytes] : bytes,
        });
        expectSane(answer, [method, contentRange, length]);
        if (answer.status === 404) location = await repo.mustStart();
      }),
      SEARCH,
    );
    await repo.at(location, 'DELETE');
  }, timeout(30));

  it('is answered: manifests, which come back as they were when they are taken', async () => {
    const types = fc.constantFrom(undefined, MEDIA.manifest, MEDIA.index, 'text/html', 'x');
    await fc.assert(
      fc.asyncProperty(spoiled, types, fc.boolean(), async ({ bytes, mediaType }, other, own) => {
        const type = own ? mediaType : other;
        const answer = await ask({
          method: 'PUT',
          path: `/v2/${repo.name}/manifests/fuzz`,
          headers: type === undefined ? {} : { 'Content-Type': type },
          body: bytes,
        });
        expectSane(answer, bytes.toString());
        if (answer.status !== 201) return;
        const stored = await ask({ path: answer.header('Location') ?? '' });
        expect(stored.status).toBe(200);
        expect(stored.body).toEqual(bytes);
      }),
      SEARCH,
    );
  }, timeout(40));

  it('is answered: tokens and scopes', async () => {
    const word = fc.oneof(value, fc.constantFrom('repository', 'registry', 'catalog', '*', 'pull', 'push,pull', repo.name, '', 'repository(plugin)', 'localhost:5000/a'));
    const scope = fc.oneof(fc.array(word, { maxLength: 5 }).map((words) => words.join(':')), text);
    const parameters = fc.record({ scope: fc.array(scope, { maxLength: 3 }), service: text, account: text, client_id: text }, { requiredKeys: [] });
    await fc.assert(
      fc.asyncProperty(parameters, async ({ scope: scopes = [], ...rest }) => {
        const search = new URLSearchParams(rest as Record<string, string>);
        for (const one of scopes) search.append('scope', one);
        expectSane(await ask({ path: `/auth/token?${search.toString()}` }), search.toString());
      }),
      SEARCH,
    );
  }, timeout(20));
});

it('serves as before when all of it is over', async () => {
  expect(RUNS).toBeGreaterThan(0);
  expect(await repo.mustPull('v1')).toEqual(pushed.manifest.bytes);
  expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
  const document = { schemaVersion: 2, mediaType: MEDIA.manifest, config: descriptor(EMPTY_JSON, MEDIA.empty), layers: [] };
  expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  expect((await repo.putManifest({ ...blob(JSON.stringify(document)), mediaType: MEDIA.manifest }, 'after')).status).toBe(201);
});
