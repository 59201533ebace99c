import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { basic, blob, EMPTY_JSON, image, MEDIA, send, type Answer, type Ask } from '../harness/oci-client.ts';
import { spoiled } from './documents.ts';
import { contentRange, path, query, readHeaders, tokenQuery } from './http-inputs.ts';
import { HTTP_RUNS, HTTP_SEARCH, timeout } from './runs.ts';

const hub = await testHub();
const repo = await hub.repo({ allowSparse: true });
const content = blob(5_000);
const pushed = image({ layers: [100] });
await repo.mustPush(content);
await repo.mustPush(EMPTY_JSON);
await repo.mustPushImage(pushed, 'v1');
const there = [content.digest, pushed.manifest.digest, repo.name];
const authorization = basic(hub.adminCredentials);
const ask = (what: Ask) => send(hub.origin, { ...what, headers: { Authorization: authorization, ...what.headers } });

/** Never the hub's fault, never HTML; an error is one that clients can read. */
function expectSane(answer: Answer, note: unknown): void {
  expect(answer.status, JSON.stringify(note)).toBeLessThan(500);
  expect(answer.header('Content-Type') ?? '').not.toMatch(/html/);
  if (answer.status < 400 || answer.body.length === 0 || [414, 416].includes(answer.status)) return;
  const { errors } = answer.json<{ errors: { code: string; message: string }[] }>();
  expect(errors[0]?.code).toMatch(/^[A-Z_]+$/);
  expect(errors[0]?.message).toBeTruthy();
}

describe('whatever is asked under /v2', () => {
  it(
    'is answered: paths and queries',
    async () => {
      const methods = fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS');
      await fc.assert(
        fc.asyncProperty(methods, path(repo.name, there), query(there), async (method, where, what) => {
          // Nothing that the next input needs may go away.
          if (method === 'DELETE' && ['/v1', ...there].some((needed) => where.includes(needed))) return;
          expectSane(await ask({ method, path: where + what }), [method, where + what]);
        }),
        HTTP_SEARCH,
      );
      expect((await repo.getManifest('v1')).body).toEqual(pushed.manifest.bytes);
    },
    timeout(100, HTTP_RUNS),
  );

  it(
    'is answered: headers of reads',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.constantFrom('GET', 'HEAD'), readHeaders, fc.boolean(), async (method, headers, ofBlob) => {
          const where = ofBlob ? `/blobs/${content.digest}` : '/manifests/v1';
          const answer = await ask({ method, path: `/v2/${repo.name}${where}`, headers });
          expectSane(answer, headers);
          const whole = ofBlob ? content.bytes : pushed.manifest.bytes;
          if (answer.status === 200 && method === 'GET') expect(answer.body).toEqual(whole);
          // With the frames of its parts, a multipart answer is a little more than the blob.
          if (answer.status === 206) expect(answer.body.length).toBeLessThan(content.size + 40 * 200);
        }),
        HTTP_SEARCH,
      );
    },
    timeout(100, HTTP_RUNS),
  );

  it(
    'is answered: chunks and their ranges',
    async () => {
      let location = await repo.mustStart();
      const methods = fc.constantFrom('PATCH', 'PUT');
      await fc.assert(
        fc.asyncProperty(methods, contentRange, fc.nat(200), fc.boolean(), async (method, range, length, streamed) => {
          const bytes = Buffer.alloc(length, 'x');
          const where = new URL(location, hub.origin).pathname;
          const answer = await ask({
            method,
            path: method === 'PUT' ? `${where}?digest=${content.digest}` : where,
            headers: range === '' ? {} : { 'Content-Range': range },
            body: streamed ? () => [bytes] : bytes,
          });
          expectSane(answer, [method, range, length]);
          if (answer.status === 404) location = await repo.mustStart();
        }),
        HTTP_SEARCH,
      );
      await repo.at(location, 'DELETE');
    },
    timeout(100, HTTP_RUNS),
  );

  it(
    'is answered: manifests, which come back as they were when they are taken',
    async () => {
      const types = fc.constantFrom(undefined, MEDIA.manifest, MEDIA.index, 'text/html', 'x');
      await fc.assert(
        fc.asyncProperty(spoiled, types, fc.boolean(), async ({ bytes, mediaType }, other, own) => {
          const type = own ? mediaType : other;
          const headers = type === undefined ? {} : { 'Content-Type': type };
          const answer = await ask({ method: 'PUT', path: `/v2/${repo.name}/manifests/fuzz`, headers, body: bytes });
          expectSane(answer, bytes.toString());
          if (answer.status !== 201) return;
          const stored = await ask({ path: answer.header('Location') ?? '' });
          expect(stored.status).toBe(200);
          expect(stored.body).toEqual(bytes);
        }),
        HTTP_SEARCH,
      );
    },
    timeout(200, HTTP_RUNS),
  );

  it(
    'is answered: tokens and scopes',
    async () => {
      await fc.assert(
        fc.asyncProperty(tokenQuery(repo.name), async (search) => {
          expectSane(await ask({ path: `/auth/token?${search}` }), search);
        }),
        HTTP_SEARCH,
      );
    },
    timeout(100, HTTP_RUNS),
  );
});

it('serves as before when all of it is over', async () => {
  expect(await repo.mustPull('v1')).toEqual(pushed.manifest.bytes);
  expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
  const again = image({ layers: [100] });
  await repo.mustPushImage(again, 'after');
  expect(await repo.mustPull('after')).toEqual(again.manifest.bytes);
});
