import { Agent } from 'node:http';
import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { basic, blob, image, MEDIA, send, type Answer } from '../harness/oci-client.ts';
import { expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const project = await hub.project({ visibility: 'public' });
await hub.admin.repo(`${project}/app`).mustPushImage(image(), 'v1');
const reader = await hub.person();
const SIZE = 100_000_000;
const PIECE = Buffer.alloc(1_000_000);
const endpoints = [
  ['POST', `/v2/${project}/app/blobs/uploads/?digest=${blob().digest}`],
  ['PATCH', `/v2/${project}/app/blobs/uploads/00000000-0000-4000-8000-000000000000`],
  ['PUT', `/v2/${project}/app/blobs/uploads/00000000-0000-4000-8000-000000000000?digest=${blob().digest}`],
  ['PUT', `/v2/${project}/app/manifests/v2`],
] as const;

function* hundredMegabytes(): Iterable<Buffer> {
  for (let at = 0; at < SIZE; at += PIECE.length) yield PIECE;
}

function push(method: string, path: string, headers: Record<string, string>, agent?: Agent): Promise<Answer> {
  const type = path.includes('/manifests/') ? MEDIA.manifest : 'application/octet-stream';
  return send(hub.origin, {
    method,
    path,
    headers: { 'Content-Type': type, ...headers },
    body: hundredMegabytes,
    ...(agent ? { agent } : {}),
  });
}

describe('a client that is sending 100 MB where it may not', () => {
  for (const [method, path] of endpoints) {
    for (const length of ['with its length', 'in chunks'] as const) {
      const framing = length === 'in chunks' ? {} : { 'Content-Length': String(SIZE) };
      it(`reads why: 401 without credentials, ${method} ${length} ${path.includes('manifests') ? 'manifest' : 'blob'}`, async () => {
        const answer = await push(method, path, framing);
        expectError(answer, 401, 'UNAUTHORIZED');
        expect(answer.all('WWW-Authenticate')).toHaveLength(1);
      });

      it(`reads why: 403 without the right, ${method} ${length} ${path.includes('manifests') ? 'manifest' : 'blob'}`, async () => {
        const answer = await push(method, path, { ...framing, Authorization: basic(reader.credentials) });
        expectError(answer, 403, 'DENIED');
      });
    }
  }

  it('reads 404 for an upload that is not there', async () => {
    const [method, path] = endpoints[1];
    const answer = await push(method, path, {
      'Content-Length': String(SIZE),
      Authorization: basic(hub.adminCredentials),
    });
    expectError(answer, 404, 'BLOB_UPLOAD_UNKNOWN');
  });

  it('reads 413 for a manifest of that size', async () => {
    const [method, path] = endpoints[3];
    const answer = await push(method, path, {
      'Content-Length': String(SIZE),
      Authorization: basic(hub.adminCredentials),
    });
    expectError(answer, 413);
  });
});

describe('a client that asks before it sends (Expect: 100-continue)', () => {
  it.each(endpoints)('is refused before the body: %s %s', async (method, path) => {
    const headers = { Expect: '100-continue', 'Content-Length': String(SIZE) };
    const stranger = await push(method, path, headers);
    expectError(stranger, 401, 'UNAUTHORIZED');
    expect(stranger.continued).toBe(false);
    const known = await push(method, path, { ...headers, Authorization: basic(reader.credentials) });
    expectError(known, 403, 'DENIED');
    expect(known.continued).toBe(false);
  });

  it('is told to go on when it may, and only then', async () => {
    const content = blob(200_000);
    const repo = hub.admin.repo(`${project}/app`);
    const location = await repo.mustStart();
    const headers = { Expect: '100-continue' };
    const answer = await repo.at(location, 'PUT', { headers, body: content.bytes }, { digest: content.digest });
    expect(answer.status).toBe(201);
    expect(answer.continued).toBe(true);
    expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
  });

  it('is refused for a manifest that is too large before it is sent', async () => {
    const headers = {
      Expect: '100-continue',
      'Content-Length': String(SIZE),
      Authorization: basic(hub.adminCredentials),
    };
    const answer = await push('PUT', `/v2/${project}/app/manifests/v2`, headers);
    expectError(answer, 413);
    expect(answer.continued).toBe(false);
  });
});

describe('afterwards', () => {
  it('a connection that was kept still works', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      for (let time = 0; time < 5; time++) {
        const refused = await send(hub.origin, {
          method: 'PUT',
          path: `/v2/${project}/app/manifests/v2`,
          headers: { 'Content-Type': MEDIA.manifest },
          body: Buffer.alloc(200_000, ' '),
          agent,
        });
        expectError(refused, 401, 'UNAUTHORIZED');
        const fine = await send(hub.origin, {
          path: `/v2/${project}/app/tags/list`,
          headers: { Authorization: basic(reader.credentials) },
          agent,
        });
        expect(fine.status).toBe(200);
      }
    } finally {
      agent.destroy();
    }
  });

  it('nothing was made of what was refused', async () => {
    expect(await hub.admin.repo(`${project}/app`).mustTags()).toEqual(['v1']);
    const { rows } = await hub.db.pool.query('select 1 from uploads');
    expect(rows).toEqual([]);
  });
});
