import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, locationOf, type Answer } from '../harness/oci-client.ts';
import { expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const repo = await hub.repo();
const ROUNDS = 20;

/** Who lost hears why in the specification's words, and can ask where the upload is. */
function expectLoser(answer: Answer): void {
  expectError(answer, [404, 409, 416], ['BLOB_UPLOAD_INVALID', 'BLOB_UPLOAD_UNKNOWN']);
}

async function sizeOf(location: string): Promise<number> {
  const last = Number(
    expectStatus(await repo.at(location, 'GET'), 204)
      .header('Range')
      ?.split('-')[1],
  );
  return last === 0 ? 0 : last + 1;
}

describe('two writers on one upload', () => {
  it('with the same chunk: one wins, the other is told, the bytes are there once', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const content = blob(200_000);
      const location = await repo.mustStart();
      const answers = await Promise.all(
        [0, 0, 0].map((start) => repo.patch(location, content.bytes.subarray(0, 100_000), start)),
      );
      const winners = answers.filter((answer) => answer.status === 202);
      expect(winners).toHaveLength(1);
      for (const answer of answers) if (answer.status !== 202) expectLoser(answer);
      expect(await sizeOf(location)).toBe(100_000);
      expectStatus(await repo.close(location, content.digest, content.bytes.subarray(100_000), 100_000), 201);
      expect((await repo.getBlob(content.digest)).body.equals(content.bytes)).toBe(true);
    }
  });

  it('without ranges: what was acknowledged is there, whole and in one order', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const pieces = [Buffer.alloc(70_000, 'a'), Buffer.alloc(50_000, 'b')];
      const location = await repo.mustStart();
      const answers = await Promise.all(pieces.map((piece) => repo.patch(location, () => [piece])));
      const taken = pieces.filter((_, at) => answers[at]?.status === 202);
      expect(taken.length).toBeGreaterThan(0);
      for (const answer of answers) if (answer.status !== 202) expectLoser(answer);
      expect(await sizeOf(location)).toBe(taken.reduce((sum, piece) => sum + piece.length, 0));
      const orders = [Buffer.concat(taken), Buffer.concat(taken.toReversed())];
      const closed: number[] = [];
      for (const bytes of orders) {
        const answer = await repo.close(location, blob(bytes).digest);
        closed.push(answer.status);
        if (answer.status === 201) break;
      }
      expect(closed.at(-1)).toBe(201);
    }
  });
});

describe('an upload finished twice', () => {
  it('at once: one wins, the other is told, the blob is right', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const content = blob(100_000);
      const withBody = round % 2 === 0;
      let location = await repo.mustStart();
      if (!withBody) location = locationOf(expectStatus(await repo.patch(location, content.bytes), 202));
      const answers = await Promise.all(
        [1, 2, 3].map(() => repo.close(location, content.digest, withBody ? content.bytes : undefined)),
      );
      expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
      for (const answer of answers) if (answer.status !== 201) expectLoser(answer);
      expect((await repo.getBlob(content.digest)).body.equals(content.bytes)).toBe(true);
    }
  });

  it('with two digests at once: the wrong one never wins', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const [content, other] = [blob(50_000), blob(50_000)];
      const location = locationOf(expectStatus(await repo.patch(await repo.mustStart(), content.bytes), 202));
      const [right, wrong] = await Promise.all([
        repo.close(location, content.digest),
        repo.close(location, other.digest),
      ]);
      expect([400, 404, 409]).toContain(wrong.status);
      if (right.status !== 201) {
        expectLoser(right);
        expectStatus(await repo.close(location, content.digest), 201);
      }
      expect((await repo.headBlob(other.digest)).status).toBe(404);
      expect((await repo.getBlob(content.digest)).body.equals(content.bytes)).toBe(true);
    }
  });
});

describe('an upload that is cancelled', () => {
  it('while it is finished: a blob that was acknowledged is there', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const content = blob(50_000);
      const location = locationOf(expectStatus(await repo.patch(await repo.mustStart(), content.bytes), 202));
      const [finish, cancel] = await Promise.all([repo.close(location, content.digest), repo.at(location, 'DELETE')]);
      expect([201, 404, 409]).toContain(finish.status);
      expect([204, 404, 409]).toContain(cancel.status);
      expect([finish.status === 201, cancel.status === 204]).not.toEqual([true, true]);
      expect((await repo.headBlob(content.digest)).status).toBe(finish.status === 201 ? 200 : 404);
      if (finish.status !== 201) await repo.at(location, 'DELETE');
    }
  });

  it('while it is written to: the writer hears of it or wins', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const location = await repo.mustStart();
      const [patch, cancel] = await Promise.all([
        repo.patch(location, blob(100_000).bytes),
        repo.at(location, 'DELETE'),
      ]);
      expect([202, 404, 409]).toContain(patch.status);
      expect([204, 409]).toContain(cancel.status);
      expect((await repo.at(location, 'GET')).status).toBe(cancel.status === 204 ? 404 : 204);
      if (cancel.status !== 204) await repo.at(location, 'DELETE');
    }
  });
});
