import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { expectStatus, index, type Manifest, type Repo } from '../harness/oci-client.ts';

const hub = await testHub();
const replica = await hub.replica();
const FIFTY = Array.from({ length: 50 }, (_, at) => at);

const other = (): Manifest => index([], { extra: { annotations: { nonce: String(Math.random()) } } });
const projectOf = (repo: { name: string }) => repo.name.split('/')[0] as string;
const makeRule = (repo: Repo) => hub.api('POST', `/projects/${projectOf(repo)}/immutability`, {});

/** Until some backend waits for an advisory lock. */
async function someoneWaits(): Promise<void> {
  for (;;) {
    const { rowCount } = await hub.db.pool.query(
      `select 1 from pg_locks l where l.locktype = 'advisory' and not l.granted
       and l.database = (select oid from pg_database where datname = current_database())`,
    );
    if (rowCount) return;
  }
}

describe('an immutable tag', () => {
  it('that fifty clients of two replicas push at once has one winner, and the rest are told', async () => {
    for (let round = 0; round < 2; round++) {
      const repo = await hub.repo();
      expectStatus(await makeRule(repo), 201);
      const contents = FIFTY.map(other);
      const answers = await Promise.all(
        contents.map((content, at) => (at % 2 === 0 ? repo : replica.repo(repo.name)).putManifest(content, 'v1')),
      );
      const won = answers.flatMap(({ status }, at) => (status === 201 ? [at] : []));
      expect(won).toHaveLength(1);
      for (const answer of answers.filter(({ status }) => status !== 201)) {
        expect(answer.status).toBe(409);
        expect(answer.body.toString()).toContain('is immutable');
      }
      const now = (await repo.headManifest('v1')).header('Docker-Content-Digest');
      expect(now).toBe(contents[won[0] as number]?.digest);
      const history = await hub.db.pool.query(
        `select 1 from tag_history h join repositories r on r.id = h.repository_id where r.path = $1`,
        [repo.name],
      );
      expect(history.rowCount).toBe(1);
    }
  });

  it('that comes back while others push it comes back as what it was', async () => {
    const repo = await hub.repo();
    const content = other();
    await repo.mustPut(content, 'v1');
    expectStatus(await makeRule(repo), 201);
    for (let round = 0; round < 10; round++) {
      expectStatus(await repo.deleteManifest('v1'), 202);
      const [same, ...rest] = await Promise.all([
        repo.putManifest(content, 'v1'),
        ...[1, 2, 3, 4].map((at) => (at % 2 === 0 ? repo : replica.repo(repo.name)).putManifest(other(), 'v1')),
      ]);
      expect(same?.status).toBe(201);
      expect(rest.map(({ status }) => status)).toEqual([409, 409, 409, 409]);
    }
  });
});

describe('a rule that is made while tags move', () => {
  it('waits for moves under way', async () => {
    const repo = await hub.repo();
    await repo.mustPut(other(), 'v1');
    const client = await hub.db.pool.connect();
    try {
      await client.query('begin');
      await client.query('select guard_tags(id) from repositories where path = $1', [repo.name]);
      let answered = false;
      const rule = makeRule(repo).then((answer) => {
        answered = true;
        return answer;
      });
      await someoneWaits();
      expect(answered).toBe(false);
      await client.query('commit');
      expectStatus(await rule, 201);
    } finally {
      client.release();
    }
  });

  it('is waited for by moves that come later, which then see it', async () => {
    const repo = await hub.repo();
    await repo.mustPut(other(), 'v1');
    const client = await hub.db.pool.connect();
    try {
      // As createRule does, step by step.
      await client.query('begin');
      const { rows } = await client.query<{ id: number }>(`select project_id as id from repositories where path = $1`, [
        repo.name,
      ]);
      const { id } = rows[0] as { id: number };
      await client.query('select pg_advisory_xact_lock(1650815491, $1::int)', [id]);
      await client.query('insert into immutability_rules (project_id) values ($1)', [id]);
      await client.query('update projects set has_immutability = true where id = $1', [id]);
      const push = repo.putManifest(other(), 'v1');
      await someoneWaits();
      await client.query('commit');
      expect((await push).status).toBe(409);
    } finally {
      client.release();
    }
  });

  it('holds for every move from its answer on', async () => {
    for (let round = 0; round < 5; round++) {
      const repo = await hub.repo();
      await repo.mustPut(other(), 'v1');
      const fixed: { digest?: string | undefined } = {};
      const late: number[] = [];
      const push = async (at: number) => {
        const after = fixed.digest !== undefined;
        const { status } = await (at % 2 === 0 ? repo : replica.repo(repo.name)).putManifest(other(), 'v1');
        expect([201, 409]).toContain(status);
        if (after) late.push(status);
      };
      const pushing = Promise.all(
        [0, 1, 2, 3].map(async (at) => {
          for (let times = 0; times < 8; times++) await push(at);
        }),
      );
      expectStatus(await makeRule(repo), 201);
      fixed.digest = (await repo.headManifest('v1')).header('Docker-Content-Digest');
      await pushing;
      expect(late.every((status) => status === 409)).toBe(true);
      expect((await repo.headManifest('v1')).header('Docker-Content-Digest')).toBe(fixed.digest);
    }
  });
});
