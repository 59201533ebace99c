import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, unknownDigest, type Answer } from '../harness/oci-client.ts';
import { filesClient, form, newFiles, sha256 } from './harness.ts';

const hub = await testHub();
const files = await newFiles(hub);
const content = Buffer.from('what was built');
const other = Buffer.from('something else');
const hex = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes).digest('hex');
const base64 = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes).digest('base64');

/** Every header that says what the bytes are, for the given bytes. */
const claims = (bytes: Buffer): [string, string][] => [
  ['X-Checksum-Sha256', hex('sha256', bytes)],
  ['X-Checksum-Sha256', hex('sha256', bytes).toUpperCase()],
  ['X-Checksum-Sha512', hex('sha512', bytes)],
  ['X-Checksum-Sha1', hex('sha1', bytes)],
  ['X-Checksum-Md5', hex('md5', bytes)],
  ['Content-MD5', base64('md5', bytes)],
  ['Repr-Digest', `sha-256=:${base64('sha256', bytes)}:`],
  ['Repr-Digest', `unixsum=:AAAA:, sha-512=:${base64('sha512', bytes)}:`],
  ['Content-Digest', `sha-256=:${base64('sha256', bytes)}:`],
  ['Content-Digest', `sha-512=:${base64('sha512', bytes)}:, sha-256=:${base64('sha256', bytes)}:`],
  ['Digest', `SHA-256=${base64('sha256', bytes)}`],
  ['Digest', `md5=${base64('md5', bytes)},sha=${base64('sha1', bytes)}`],
];

describe('a checksum', () => {
  it.each(claims(content))('that is right is taken: %s: %s', async (name, value) => {
    expect([200, 201]).toContain((await files.put('right', 'x', content, { [name]: value })).status);
  });

  it.each(claims(other))('that is wrong leaves nothing: %s: %s', async (name, value) => {
    const answer = expectStatus(
      await files.put('wrong', 'x', content, { [name]: value, Accept: 'application/json' }),
      400,
    );
    expect(answer.json()).toMatchObject({ type: 'urn:berth:problem:checksum-mismatch' });
    expectStatus(await files.get('wrong', 'x'), 404);
  });

  it('that is wrong leaves no blob either', async () => {
    const { bytes, digest } = blob(50_000);
    for (const [name, value] of claims(other)) await files.put('wrong', 'x', bytes, { [name]: value });
    expect((await hub.admin.repo(files.repository).headBlob(digest)).status).toBe(404);
    const { rows } = await hub.db.pool.query('select count(*)::int as n from uploads');
    expect(rows).toEqual([{ n: 0 }]);
    await hub.assertNothingLeft();
  });

  it.each([
    ['X-Checksum-Sha256', 'abc'],
    ['X-Checksum-Sha1', 'g'.repeat(40)],
    ['Content-MD5', 'not base64!'],
    ['Content-MD5', base64('sha1', content)],
    ['Repr-Digest', 'sha-256=abc'],
    ['Repr-Digest', `sha-256=:${base64('md5', content)}:`],
    ['Digest', 'nonsense'],
  ])('that cannot be one is refused: %s: %s', async (name, value) => {
    expectStatus(await files.put('bad', 'x', content, { [name]: value }), 400);
    expectStatus(await files.get('bad', 'x'), 404);
  });

  it('may not contradict another', async () => {
    const both = { 'X-Checksum-Sha256': hex('sha256', content), Digest: `sha-256=${base64('sha256', other)}` };
    const answer = expectStatus(await files.put('bad', 'x', content, both), 400);
    expect(answer.body.toString()).toMatch(/contradicts/);
  });

  it('is told back beside sha256 when it was sent or asked for', async () => {
    const sent = await files.put('told', 'x', content, { 'X-Checksum-Md5': hex('md5', content) });
    expect([sent.header('X-Checksum-Md5'), sent.header('X-Checksum-Sha1')]).toEqual([hex('md5', content), undefined]);
    const asked = await files.put('told', 'y', content, {
      'Want-Repr-Digest': 'sha-512=9, sha-256=1',
      'Want-Digest': 'sha',
    });
    expect(asked.header('X-Checksum-Sha1')).toBe(hex('sha1', content));
    expect(asked.header('Repr-Digest')).toBe(
      `sha-256=:${base64('sha256', content)}:, sha-512=:${base64('sha512', content)}:`,
    );
  });

  it('of a form is that of the form', async () => {
    const { body, headers } = form([{ filename: 'a', content: 'A' }]);
    const wrong = await files.ask('POST', files.at('form'), {
      body,
      headers: { ...headers, 'Content-MD5': base64('md5', other) },
    });
    expectStatus(wrong, 400);
    expectStatus(await files.get('form', 'a'), 404);
    const right = await files.ask('POST', files.at('form'), {
      body,
      headers: { ...headers, 'Content-MD5': base64('md5', body) },
    });
    expectStatus(right, 201);
    const ofFile = await files.ask('POST', files.at('form'), {
      body,
      headers: { ...headers, 'X-Checksum-Sha256': sha256('A') },
    });
    expectStatus(ofFile, 400);
  });
});

describe('a deploy by checksum', () => {
  const deploy = (to: typeof files, sum: string, query = '') =>
    to.ask('PUT', `${to.at('deployed', 'x')}${query}`, {
      headers: { 'X-Checksum-Deploy': 'true', 'X-Checksum-Sha256': sum },
    });

  it('puts what this repository, this project or a public one has', async () => {
    const here = blob(10_000);
    await files.put('source', 'x', here.bytes);
    expectStatus(await deploy(files, sha256(here.bytes)), 201);
    const sibling = filesClient(hub, `${files.repository}-sibling`);
    expectStatus(await deploy(sibling, sha256(here.bytes)), 201);
    expect((await sibling.get('deployed', 'x')).body.equals(here.bytes)).toBe(true);
    const open = await newFiles(hub, { visibility: 'public' });
    const shown = blob(10_000);
    await open.put('1', 'x', shown.bytes);
    expectStatus(await deploy(await newFiles(hub), sha256(shown.bytes)), 201);
  });

  it('puts what a named repository has', async () => {
    const there = blob(10_000);
    await files.put('source', 'y', there.bytes);
    const elsewhere = await newFiles(hub);
    expectStatus(await deploy(elsewhere, sha256(there.bytes)), 404);
    expectStatus(await deploy(elsewhere, sha256(there.bytes), `?from=${files.repository}`), 201);
    expectStatus(await deploy(elsewhere, sha256(there.bytes), '?from=NO'), 400);
  });

  it('says the same of what is unknown and of what the caller may not read', async () => {
    const secret = blob(10_000);
    await files.put('secret', 'x', secret.bytes);
    const jane = await hub.person();
    const project = await hub.project({ grants: { [jane.name]: 'writer' } });
    const hers = filesClient(hub, `${project}/tools`, jane.credentials);
    await hers.put('1', 'something', 'hers');
    const without = ({ headers, body, status }: Answer) => {
      const { 'x-request-id': _id, date: _date, ...rest } = headers;
      return { status, rest, body: body.toString() };
    };
    for (const query of ['', `?from=${files.repository}`, '?from=no/such']) {
      const forbidden = await deploy(hers, sha256(secret.bytes), query);
      const unknown = await deploy(hers, unknownDigest().slice(7), query);
      expect(forbidden.status).toBe(404);
      expect(without(forbidden)).toEqual(without(unknown));
    }
    expect((await hers.get('deployed', 'x')).status).toBe(404);
    // The bytes themselves are taken from anyone who has them, and kept once.
    expectStatus(await hers.put('1', 'copy', secret.bytes), 201);
    const { rows } = await hub.db.pool.query('select count(*)::int as n from blobs where digest = $1', [
      Buffer.concat([Buffer.from([1]), Buffer.from(sha256(secret.bytes), 'hex')]),
    ]);
    expect(rows).toEqual([{ n: 1 }]);
  });

  it('needs a checksum, and no body', async () => {
    expectStatus(await files.put('deployed', 'x', '', { 'X-Checksum-Deploy': 'true' }), 400);
    const both = { 'X-Checksum-Deploy': 'true', 'X-Checksum-Sha256': hex('sha256', content) };
    expectStatus(await files.put('deployed', 'x', content, both), 400);
  });
});

describe('a condition', () => {
  const etag = (bytes: Buffer | string) => `"sha256:${sha256(bytes)}"`;

  it('If-None-Match: * only creates', async () => {
    expectStatus(await files.put('once', 'x', 'first', { 'If-None-Match': '*' }), 201);
    expectStatus(await files.put('once', 'x', 'second', { 'If-None-Match': '*' }), 412);
    expectStatus(await files.put('once', 'x', 'first', { 'If-None-Match': '*' }), 412);
    expect((await files.get('once', 'x')).body.toString()).toBe('first');
  });

  it('If-Match only replaces what was seen', async () => {
    await files.put('match', 'x', 'one');
    expectStatus(await files.put('match', 'x', 'two', { 'If-Match': etag('other') }), 412);
    expectStatus(await files.put('match', 'x', 'two', { 'If-Match': `"nonsense", ${etag('one')}` }), 200);
    expectStatus(await files.put('match', 'x', 'three', { 'If-Match': etag('one') }), 412);
    expectStatus(await files.put('match', 'x', 'three', { 'If-Match': '*' }), 200);
    expectStatus(await files.put('match', 'new', 'x', { 'If-Match': '*' }), 412);
    const gone = { headers: { 'If-Match': etag('one') } };
    expectStatus(await files.ask('DELETE', files.at('match', 'x'), gone), 412);
    expectStatus(await files.ask('DELETE', files.at('match', 'x'), { headers: { 'If-Match': etag('three') } }), 204);
  });

  it('that fails is answered before the body is asked for', async () => {
    await files.put('early', 'x', 'there');
    const answer = await files.put('early', 'x', Buffer.alloc(5_000_000), {
      'If-None-Match': '*',
      Expect: '100-continue',
    });
    expect([answer.status, answer.continued]).toEqual([412, false]);
  });

  it('is decided between requests that race: one of twenty makes the file', async () => {
    const racers = Array.from({ length: 20 }, (_, i) => files.put('race', 'x', `racer ${i}`, { 'If-None-Match': '*' }));
    const statuses = (await Promise.all(racers)).map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([201, ...Array.from({ length: 19 }, () => 412)]);
  });
});
