import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, index, nextLink, type Repo, type TagList } from '../harness/oci-client.ts';
import { expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();

async function tagged(tags: readonly string[]): Promise<Repo> {
  const repo = await hub.repo();
  const content = index([]);
  for (let at = 0; at < tags.length; at += 10) {
    expectStatus(await repo.putManifest(content, content.digest, { tag: tags.slice(at, at + 10) }), 201);
  }
  return repo;
}

/** Follows Link headers to the end. */
async function pages(repo: Repo, first: string): Promise<string[][]> {
  const found: string[][] = [];
  for (let path: string | undefined = first; path !== undefined;) {
    const answer = expectStatus(await repo.at(path, 'GET'), 200);
    found.push([...answer.json<TagList>().tags]);
    path = nextLink(answer);
    expect(found.length).toBeLessThan(1_000);
  }
  return found;
}

const MIXED = [
  'B',
  'a',
  'A',
  '_x',
  '1',
  '10',
  '2',
  'a-b',
  'a.b',
  'a_b',
  'ab',
  'aB',
  'v1.0.0',
  'v1.0.0-rc.1',
  'v1.10.0',
  'v1.9.0',
];
const ORDERED = MIXED.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));

describe('the list of tags', async () => {
  const repo = await tagged(MIXED);

  it('is in byte order, under the name of the repository', async () => {
    const answer = await repo.tags();
    expect(answer.status).toBe(200);
    expect(answer.header('Content-Type')).toMatch(/^application\/json/);
    expect(answer.json()).toEqual({ name: repo.name, tags: ORDERED });
    expect(answer.header('Link')).toBeUndefined();
  });

  it.each([1, 3, 15, 16])('in pages of %d: each full but the last, all of them once', async (n) => {
    const found = await pages(repo, `/v2/${repo.name}/tags/list?n=${n}`);
    expect(found.flat()).toEqual(ORDERED);
    for (const page of found.slice(0, -1)) expect(page).toHaveLength(n);
  });

  it('has no Link on a page that ends exactly at the last tag', async () => {
    expect((await repo.tags({ n: MIXED.length })).header('Link')).toBeUndefined();
    expect((await repo.tags({ n: 1, last: ORDERED.at(-2) })).header('Link')).toBeUndefined();
  });

  it('is empty without a Link for n=0', async () => {
    const answer = await repo.tags({ n: 0 });
    expect(answer.json()).toEqual({ name: repo.name, tags: [] });
    expect(answer.header('Link')).toBeUndefined();
  });

  it('goes on after last, which may be a tag or none', async () => {
    for (const last of [...ORDERED, 'a-', 'zzz', '0', 'v1.0.0-']) {
      const after = ORDERED.filter((tag) => Buffer.compare(Buffer.from(tag), Buffer.from(last)) > 0);
      expect(await repo.mustTags({ last })).toEqual(after);
      expect(await repo.mustTags({ n: 3, last })).toEqual(after.slice(0, 3));
    }
  });

  it('takes an n larger than the list', async () => {
    expect(await repo.mustTags({ n: 100 })).toEqual(ORDERED);
  });

  it.each(['-1', 'abc', '1.5', '1e3', '0x10', '٣'])('refuses n=%j, which is no number', async (n) => {
    expectError(await repo.tags({ n }), 400);
  });

  it('takes a huge n as its own largest page', async () => {
    for (const n of ['1000000', '99999999999999999999']) {
      const answer = await repo.tags({ n });
      if (answer.status === 200) expect(answer.json<TagList>().tags).toEqual(ORDERED);
      else expectError(answer, 400);
    }
  });

  it('does not break on a hostile last', async () => {
    for (const last of ["';drop table tags;--", '\u0000', '%', 'ü', 'x'.repeat(5_000)]) {
      const answer = await repo.tags({ last });
      expect([200, 400]).toContain(answer.status);
    }
  });
});

describe('a list longer than a page', async () => {
  const names = Array.from({ length: 250 }, (_, at) => `t${String(at).padStart(4, '0')}`);
  const repo = await tagged(names);

  it('comes complete through Links, whatever page the server prefers', async () => {
    expect((await pages(repo, `/v2/${repo.name}/tags/list`)).flat()).toEqual(names);
    expect((await pages(repo, `/v2/${repo.name}/tags/list?n=97`)).flat()).toEqual(names);
    expect((await pages(repo, `/v2/${repo.name}/tags/list?n=100&last=t0099`)).flat()).toEqual(names.slice(100));
  });
});

describe('around the list', () => {
  it('a repository without tags has an empty one, not null', async () => {
    const repo = await hub.repo();
    await repo.mustPush(blob());
    expect((await repo.tags()).json()).toEqual({ name: repo.name, tags: [] });
  });

  it('a repository that does not exist is 404 NAME_UNKNOWN', async () => {
    expectError(await hub.admin.repo('no/such').tags(), 404, 'NAME_UNKNOWN');
  });

  it('a tag is in it as soon as its push is answered, and out of it as soon as its delete is', async () => {
    const repo = await hub.repo();
    await repo.mustPut(index([]), 'now');
    expect(await repo.mustTags()).toEqual(['now']);
    expectStatus(await repo.deleteManifest('now'), 202);
    expect(await repo.mustTags()).toEqual([]);
  });
});
