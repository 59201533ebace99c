import { describe, expect, it, vi } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, locationOf, send, type Grant } from '../harness/oci-client.ts';
import { expectBareStatus } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const repo = await hub.repo();

function* pieces(bytes: Buffer, size: number): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('a PATCH of unknown length without Content-Range', () => {
  it.each([1, 1_000, 65_536, 3 * 2 ** 20, 17 * 2 ** 20 + 1])('takes %d bytes, as docker sends them', async (size) => {
    const content = blob(size);
    const location = await repo.mustStart();
    const patched = await repo.patch(location, () => pieces(content.bytes, 100_000));
    expectStatus(patched, 202);
    expect(patched.header('Range')).toBe(`0-${size - 1}`);
    expectStatus(await repo.close(locationOf(patched), content.digest), 201);
    const head = await repo.headBlob(content.digest);
    expect(head.header('Content-Length')).toBe(String(size));
    expect((await repo.getBlob(content.digest)).body.equals(content.bytes)).toBe(true);
  });

  it('of nothing is 202 with Range 0-0, and the empty blob can be closed', async () => {
    const location = await repo.mustStart();
    const patched = expectStatus(await repo.patch(location, () => []), 202);
    expect(patched.header('Range')).toBe('0-0');
    expectStatus(await repo.close(locationOf(patched), blob(0).digest), 201);
  });

  it('goes to the end of what is there', async () => {
    const content = blob(50_000);
    let location = await repo.mustStart();
    for (const piece of pieces(content.bytes, 20_000)) {
      location = locationOf(expectStatus(await repo.patch(location, () => [piece]), 202));
    }
    expectStatus(await repo.close(location, content.digest), 201);
    expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
  });

  it('may be followed by the rest in the PUT', async () => {
    const content = blob(50_000);
    const location = locationOf(
      expectStatus(await repo.patch(await repo.mustStart(), content.bytes.subarray(0, 30_000)), 202),
    );
    expectStatus(await repo.close(location, content.digest, content.bytes.subarray(30_000)), 201);
    expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
  });

  it('may have a Content-Length', async () => {
    const content = blob(50_000);
    const location = locationOf(expectStatus(await repo.patch(await repo.mustStart(), content.bytes), 202));
    expectStatus(await repo.close(location, content.digest), 201);
  });
});

describe('a client that vanishes', () => {
  it('in the middle of a PATCH finds the session truthful and goes on', async () => {
    const content = blob(3_000_000);
    const location = await repo.mustStart();
    const abort = new AbortController();
    const cut = repo.at(location, 'PATCH', {
      signal: abort.signal,
      headers: { 'Content-Length': String(content.size) },
      body: async function* () {
        yield content.bytes.subarray(0, 1_000_000);
        await claimed(location, true);
        abort.abort();
      },
    });
    await expect(cut).rejects.toThrow();
    await claimed(location, false);

    const status = expectStatus(await repo.at(location, 'GET'), 204);
    const last = Number(status.header('Range')?.split('-')[1]);
    const there = last === 0 ? 0 : last + 1;
    expect(there).toBeLessThanOrEqual(1_000_000);
    const rest = content.bytes.subarray(there);
    const patched = expectStatus(await repo.patch(locationOf(status), rest, there), 202);
    expect(patched.header('Range')).toBe(`0-${content.size - 1}`);
    expectStatus(await repo.close(locationOf(patched), content.digest), 201);
    expect((await repo.getBlob(content.digest)).body.equals(content.bytes)).toBe(true);
  });

  it('in the middle of a single POST leaves nothing to see', async () => {
    const content = blob(2_000_000);
    const abort = new AbortController();
    const token = (await hub.admin.tokens.ask([`repository:${repo.name}:pull,push`])).json<Grant>().token;
    const cut = send(hub.origin, {
      method: 'POST',
      path: `/v2/${repo.name}/blobs/uploads/?digest=${content.digest}`,
      headers: { Authorization: `Bearer ${token}`, 'Content-Length': String(content.size) },
      signal: abort.signal,
      body: async function* () {
        yield content.bytes.subarray(0, 1_000_000);
        await vi.waitFor(async () => expect(await openClaims()).toBeGreaterThan(0), WAIT);
        abort.abort();
      },
    });
    await expect(cut).rejects.toThrow();
    await vi.waitFor(async () => expect(await openClaims()).toBe(0), WAIT);
    expectBareStatus(await repo.headBlob(content.digest), 404);
  });
});

const WAIT = { timeout: 20_000, interval: 20 };

async function openClaims(): Promise<number> {
  const { rows } = await hub.db.pool.query('select count(*)::int as n from uploads where writer is not null');
  return (rows[0] as { n: number }).n;
}

/** Waits until the server works on the upload, or has noticed that nobody does. */
async function claimed(location: string, wanted: boolean): Promise<void> {
  const id = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(location)?.[0];
  await vi.waitFor(async () => {
    const { rows } = await hub.db.pool.query('select writer is not null as claimed from uploads where id = $1', [id]);
    expect((rows[0] as { claimed: boolean }).claimed).toBe(wanted);
  }, WAIT);
}
