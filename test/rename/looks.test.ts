/** What a rename costs, what it tells beforehand, what lists and the audit trail say of it. */
import sql from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/auth/audit.ts';
import { testHub } from '../harness/hub.ts';
import { basic, expectStatus, image, index, send, unique, type Credentials } from '../harness/oci-client.ts';
import { chart } from '../helm/charts.ts';
import { classic } from '../helm/client.ts';

const hub = await testHub();

const renameProject = (from: string, name: string, more: object = {}) =>
  hub.api('POST', `/projects/${from}/rename`, { name, ...more });
const renameRepository = (project: string, from: string, to: string, more: object = {}) =>
  hub.api('POST', `/projects/${project}/repositories/rename`, { from, to, ...more });

/** A project with so many repositories, each with some manifests, as rows alone. */
async function filled(repositories: number, manifests: number): Promise<string> {
  const project = await hub.project();
  await hub.db.query(sql`
    with made as (
      insert into repositories (project_id, path)
      select p.id, p.name || '/team/app-' || i from projects p, generate_series(1, ${repositories}::int) i
      where p.name = ${project} returning id, project_id
    ), pushed as (
      insert into manifests (repository_id, digest, media_type, kind, size)
      select id, '\\x01'::bytea || sha256((id || ' ' || i)::bytea), 'x', 'other', 2
      from made, generate_series(1, ${manifests}::int) i returning id, repository_id
    )
    insert into tags (repository_id, name, manifest_id) select repository_id, 't' || id, id from pushed`);
  return project;
}

/** How many rows the last change of a project wrote, by table; indexes and WAL follow from them. */
async function written(project: string): Promise<Record<string, number>> {
  const { rows: tables } = await hub.db.pool.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname = 'public'`,
  );
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const { rows } = await hub.db.pool.query<{ n: number }>(
      `select count(*)::int as n from ${name} where xmin = (select xmin from projects where name = $1)`,
      [project],
    );
    if (rows[0]!.n > 0) counts[name] = rows[0]!.n;
  }
  return counts;
}

describe('the cost', () => {
  it('of another name for a project is the same for 5 artifacts and for 5,000', async () => {
    const counts = [];
    for (const [repositories, manifests] of [
      [1, 5],
      [500, 10],
    ] as const) {
      const [project, name] = [await filled(repositories, manifests), unique('now')];
      expectStatus(await renameProject(project, name), 200);
      counts.push(await written(name));
    }
    expect(counts[0]).toEqual({ projects: 1, project_aliases: 1, events: 1 });
    expect(counts[1]).toEqual(counts[0]);
  });

  it('of a scene is no look at former names unless there is no such name', async () => {
    const project = await filled(50, 1);
    const plan = async (path: string) => {
      const { selectScenes } = await import('../../src/registry/queries/scene.ts');
      let text = '';
      await selectScenes(
        {
          ...hub.db,
          query: async (statement) => {
            const client = await hub.db.pool.connect();
            try {
              await client.query('begin; set local enable_seqscan = off');
              const { rows } = await client.query<Record<string, string>>(
                `explain (analyze, costs off, timing off, summary off) ${statement.text}`,
                statement.values,
              );
              text = rows.map((row) => row['QUERY PLAN']).join('\n');
              return [];
            } finally {
              await client.query('rollback');
              client.release();
            }
          },
        },
        [{ path, principalId: 1 }],
      );
      return text;
    };
    const looks = (text: string) =>
      ['project_aliases', 'repository_aliases'].map((table) => {
        const lines = text.split('\n').filter((line) => new RegExp(`Scan.* on ${table}\\b`).test(line));
        expect(lines.length, text).toBeGreaterThan(0);
        return lines.some((line) => !line.includes('never executed'));
      });
    expect(looks(await plan(`${project}/team/app-1`))).toEqual([false, false]);
    expect(looks(await plan(`${project}/none`))).toEqual([false, true]);
    expect(looks(await plan(`${unique('none')}/none`))).toEqual([true, true]);
  });
});

describe('beforehand', () => {
  it('one sees which grants and tokens stop and start to match, and nothing changes', async () => {
    const [reader, writer, both] = [await hub.person(), await hub.person(), await hub.person()];
    const project = await hub.project();
    await hub.admin.repo(`${project}/web/app`).mustPushImage(image(), 'v1');
    const grant = async (subject: string, path_glob: string) =>
      expectStatus(await hub.api('PUT', `/projects/${project}/grants`, { subject, role: 'reader', path_glob }), 200);
    await grant(reader.name, 'web/**');
    await grant(writer.name, 'api/*');
    await grant(both.name, '*/app');
    const token = (who: Credentials, name: string, paths: string[]) =>
      send(hub.origin, {
        method: 'POST',
        path: '/api/v1/me/tokens',
        headers: { Authorization: basic(who), 'Content-Type': 'application/json' },
        body: JSON.stringify({ name, actions: ['pull'], paths }),
      });
    expectStatus(await token(reader.credentials, 'theirs', [`${project}/web/**`]), 201);
    expectStatus(await token(hub.adminCredentials, 'mine', [`${project}/api/**`]), 201);
    const preview = await renameRepository(project, 'web/app', 'api/app', { dry_run: true });
    const { effects } = expectStatus(preview, 200).json<{ effects: { grants: object[] } }>();
    expect(effects).toMatchObject({
      grants: [
        { project, change: 'stops', grant: { subject: reader.name, path_glob: 'web/**' } },
        { project, change: 'starts', grant: { subject: writer.name, path_glob: 'api/*' } },
      ],
      more_grants: false,
      tokens: [{ name: 'mine', change: 'starts' }],
      others_tokens: { stops: 1, starts: 0 },
    });
    expect(effects.grants.length).toBe(2);
    expectStatus(await reader.client.repo(`${project}/web/app`).getManifest('v1'), 200);
    // It tells the truth.
    const done = await renameRepository(project, 'web/app', 'api/app');
    expect(expectStatus(done, 200).json()).toMatchObject({ effects });
    expectStatus(await reader.client.repo(`${project}/api/app`).getManifest('v1'), 404);
    expectStatus(await reader.client.repo(`${project}/web/app`).getManifest('v1'), 404);
    expectStatus(await writer.client.repo(`${project}/web/app`).getManifest('v1'), 200);
    expectStatus(await both.client.repo(`${project}/web/app`).getManifest('v1'), 200);
    const name = unique('now');
    const whole = await renameProject(project, name, { dry_run: true });
    expect(expectStatus(whole, 200).json()).toMatchObject({
      effects: { grants: [], tokens: [{ name: 'mine', change: 'stops' }], others_tokens: { stops: 1, starts: 0 } },
    });
    expectStatus(await hub.api('GET', `/projects/${name}`), 404);
  });
});

describe('lists', () => {
  it('the catalogue is in the order of today’s names, page by page', async () => {
    const letter = unique('l');
    const made: string[] = [];
    for (const rest of ['b', 'a-x', 'a', 'c', 'd']) {
      const project = await hub.project({ name: `${letter}${rest}` });
      for (const path of ['y', 'x', 'z/w']) {
        await hub.admin.repo(`${project}/${path}`).mustPut(index([]), 'v1');
        made.push(`${project}/${path}`);
      }
    }
    const now = (from: string, to: string) => {
      for (const [i, path] of made.entries()) {
        if (path.startsWith(`${letter}${from}/`)) made[i] = path.replace(`${letter}${from}/`, `${letter}${to}/`);
      }
      return renameProject(`${letter}${from}`, `${letter}${to}`);
    };
    const catalogue = async (n: number) => {
      const pages: string[] = [];
      for (let last = letter; ;) {
        const answer = await hub.admin.request('GET', `/v2/_catalog?n=${n}&last=${encodeURIComponent(last)}`, {
          scopes: ['registry:catalog:*'],
        });
        const { repositories } = expectStatus(answer, 200).json<{ repositories: string[] }>();
        const ours = repositories.filter((path) => path.startsWith(letter));
        pages.push(...ours);
        if (repositories.length < n || ours.length < repositories.length) return pages;
        last = repositories.at(-1)!;
      }
    };
    expectStatus(await now('b', 'a.b'.replace('.', '_')), 200);
    expectStatus(await now('c', 'a-b'), 200);
    expectStatus(await now('a', 'z'), 200);
    for (const n of [1, 2, 4, 100]) expect(await catalogue(n), `pages of ${n}`).toEqual(made.toSorted());
  });

  it('of a project go on where a page by the old name ended', async () => {
    const [project, name] = [await hub.project(), unique('now')];
    for (const path of ['a', 'b', 'c']) {
      await hub.admin.repo(`${project}/${path}`).mustPut(index([]), 'v1');
      expectStatus(await classic(hub, `${project}/${path}`).upload((await chart()).bytes), 201);
    }
    for (const list of ['repositories', 'charts']) {
      const page = async (of: string, cursor?: string) =>
        (await hub.api('GET', `/projects/${of}/${list}?limit=2${cursor ? `&cursor=${cursor}` : ''}`)).json<{
          items: { path: string }[];
          next_cursor?: string;
        }>();
      const [old, now] = list === 'repositories' ? [project, name] : [name, unique('again')];
      const first = await page(old);
      expectStatus(await renameProject(old, now), 200);
      const paths = first.items.map(({ path }) => path.replace(old, now));
      for (let cursor = first.next_cursor; cursor !== undefined;) {
        const next = await page(now, cursor);
        paths.push(...next.items.map(({ path }) => path));
        cursor = next.next_cursor;
      }
      const all = list === 'repositories' ? ['a', 'a/web', 'b', 'b/web', 'c', 'c/web'] : ['a/web', 'b/web', 'c/web'];
      expect(paths).toEqual(all.map((path) => `${now}/${path}`));
    }
  });
});

describe('the audit trail', () => {
  it('has the change with before and after, and keeps the names of its time', async () => {
    const [project, name] = [await hub.project(), unique('now')];
    const repo = hub.admin.repo(`${project}/app`);
    await repo.mustPushImage(image(), 'v1');
    // Nothing was taken into the trail by now; these come first.
    expectStatus(await renameRepository(project, 'app', 'web'), 200);
    expectStatus(await renameProject(project, name), 200);
    await hub.admin.repo(`${name}/web`).mustPushImage(image(), 'v2');
    const trail = async () => {
      const answer = await hub.api('GET', `/projects/${name}/audit?limit=1000`);
      return expectStatus(answer, 200).json<{ items: AuditEntry[] }>().items.toReversed();
    };
    await expect
      .poll(async () => (await trail()).filter(({ action }) => action === 'manifest.pushed').length, {
        timeout: 10_000,
      })
      .toBe(2);
    const entries = (await trail()).filter(({ action }) => /manifest.pushed|renamed/.test(action));
    expect(entries).toMatchObject([
      { action: 'manifest.pushed', project, repository: `${project}/app` },
      {
        action: 'repository.renamed',
        project,
        repository: `${project}/web`,
        data: { before: { path: `${project}/app` }, after: { path: `${project}/web` } },
      },
      { action: 'project.renamed', data: { before: { name: project }, after: { name } } },
      { action: 'manifest.pushed', project: name, repository: `${name}/web` },
    ]);
  });

  it('has what was denied by a former name', async () => {
    const [project, name] = [await hub.project(), unique('now')];
    expectStatus(await renameProject(project, name), 200);
    await hub.admin.repo(`${project}/app`).post();
    await hub.context.denials.flush();
    const answer = await hub.api('GET', `/projects/${name}/audit?limit=1000`);
    expect(answer.json<{ items: AuditEntry[] }>().items).toContainEqual(
      expect.objectContaining({ decision: 'deny', reason: 'a former name', repository: `${project}/app` }),
    );
  });
});
