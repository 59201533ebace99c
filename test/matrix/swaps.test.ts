/**
 * Two tenants, and every route that takes two identifiers or more: whoever may do everything with the one reaches nothing of the other by
 * putting their identifiers together, and the database stays as it is.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import sql from 'sql-template-tag';
import { expect, it } from 'vitest';
import { createPersonalToken } from '../../src/auth/personal-tokens.ts';
import { chart } from '../helm/charts.ts';
import { classic } from '../helm/client.ts';
import { filesClient } from '../files/harness.ts';
import { testHub, type Person } from '../harness/hub.ts';
import { basic, expectStatus, image, send, type Image } from '../harness/oci-client.ts';
import { concerns, LINES, type Line } from './tables.ts';

const hub = await testHub();

interface Tenant {
  readonly person: Person;
  readonly project: string;
  readonly repository: string;
  readonly image: Image;
  /** By the name of the parameter. */
  readonly children: Readonly<Record<string, string>>;
}

async function tenant(mark: string): Promise<Tenant> {
  const person = await hub.person();
  const project = await hub.project({ grants: { [person.name]: 'owner' } });
  const repo = person.client.repo(`${project}/app`);
  const pushed = image();
  await repo.mustPushImage(pushed, 'mine');
  const upload = await repo.mustStart();
  const grants = await hub.api('GET', `/projects/${project}/grants`);
  const row = await hub.db.first<{ id: number }>(sql`select id from principals where name = ${person.name}`);
  const { row: token } = await createPersonalToken(hub.db, { name: 't', actions: ['pull'] }, { id: row!.id });
  const packed = await chart({ name: `web${mark}` });
  expectStatus(await classic(hub, project).upload(packed.bytes), 201);
  const robot = `robot${mark}`;
  expectStatus(await hub.api('POST', `/projects/${project}/robots`, { name: robot }), 201);
  const given = await hub.api('POST', `/projects/${project}/robots/${robot}/tokens`, { name: 't', actions: ['pull'] });
  const files = filesClient(hub, `${project}/pack`);
  expectStatus(await files.put('1.0', 'x.txt', 'x'), 201);
  const share = {
    repository: files.repository,
    version: '1.0',
    path: 'x.txt',
    action: 'download',
    expires_in_seconds: 600,
  };
  const shared = expectStatus(await hub.api('POST', `/projects/${project}/shares`, share), 201);
  const rule = `rule${mark}`;
  const trust = { name: rule, issuer: 'builds', audience: 'hub', claims: { sub: 'me' } };
  expectStatus(await hub.api('POST', `/projects/${project}/trust-rules`, trust), 201);
  const fixed = await hub.api('POST', `/projects/${project}/immutability`, { tag_glob: 'none' });
  const owner = { owner_kind: 'release', owner_id: mark, reason: 'runs' };
  const hold = await hub.api('PUT', `/projects/${project}/holds`, { repository: repo.name, tag: 'mine', ...owner });
  const rules = [{ keep_latest: 10 }];
  expectStatus(await hub.api('PUT', `/projects/${project}/retention`, { rules }), 200);
  const run = expectStatus(await hub.api('POST', `/projects/${project}/retention/runs`), 201);
  const build = await hub.db.first<{ id: number }>(sql`
    with r as (select id, name from principals where name = ${`${project}/${rule}`}),
         p as (insert into principals (kind, name, parent_id, expires_at)
               select 'ci_session', name || ':1', id, now() + interval '1 hour' from r returning id, parent_id)
    insert into ci_sessions (principal_id, rule_id, token_hash, claims_hash, claims, token_expires_at)
    select id, parent_id, ${randomBytes(32)}, ${randomBytes(32)}, '{}', now() from p returning principal_id as id`);
  const session = await hub.db.first<{ id: number }>(sql`
    insert into sessions (principal_id, secret_hash, expires_at) values (${row!.id}, ${randomBytes(32)}, now() + interval '1 hour')
    returning id`);
  const hook = { url: 'https://x.example.com/', types: ['nothing.at-all'] };
  const hooked = expectStatus(await hub.api('POST', `/projects/${project}/webhooks`, hook), 201).json<{ id: string }>();
  const tried = await hub.api('POST', `/projects/${project}/webhooks/${hooked.id}/test`);
  const former = person.client.repo(`${project}/former`);
  await former.mustPushImage(image(), 'mine');
  const rename = { from: 'former', to: 'other' };
  expectStatus(await hub.api('POST', `/projects/${project}/repositories/rename`, rename), 200);
  const move = await hub.db.first<{ id: number }>(sql`
    insert into repository_moves (repository_id, from_project_id, to_project_id, from_path, to_path, state)
    select r.id, r.project_id, r.project_id, 'other', 'other', 'done' from repositories r join projects p on p.id = r.project_id
    where p.name = ${project} limit 1 returning id`);
  return {
    person,
    project,
    repository: repo.name,
    image: pushed,
    children: {
      digest: pushed.blobs[0]!.digest,
      reference: pushed.manifest.digest,
      id: upload.split('/').at(-1)!,
      grant: grants.json<{ items: { id: string }[] }>().items.at(-1)!.id,
      token: String(token.id),
      'robot token': expectStatus(given, 201).json<{ id: string }>().id,
      share: shared.json<{ id: string }>().id,
      session: String(session!.id),
      hook: hooked.id,
      delivery: expectStatus(tried, 201).json<{ id: string }>().id,
      robot,
      rule,
      move: String(move!.id),
      alias: `${project}%2Fformer`,
      run: run.json<{ id: string }>().id,
      'ci session': String(build!.id),
      'immutability rule': expectStatus(fixed, 201).json<{ id: string }>().id,
      hold: expectStatus(hold, 200).json<{ id: string }>().id,
      chart: packed.name,
      name: packed.name,
      version: packed.version,
      file: packed.file,
    },
  };
}

/** What of a row changes without anybody changing it. */
const RESTLESS: Readonly<Record<string, string>> = { tokens: 'last_used_at' };
const ASIDE =
  /^(audit|audit_chain|events|event_consumers|idempotency_keys|job_runners|sessions|signing_keys|secrets|manifest_pulls|tag_pulls|.*_\d+)$/;

/** A checksum for each table. */
async function dump(): Promise<Record<string, string>> {
  const tables = await hub.db.query<{ name: string }>(sql`
    select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`);
  const sums: Record<string, string> = {};
  for (const { name } of tables.filter((table) => !ASIDE.test(table.name))) {
    const { rows } = await hub.db.pool.query<{ sum: string }>(
      `select md5(coalesce(string_agg(row::text, ',' order by row::text), '')) as sum
       from (select to_jsonb(t) - '${RESTLESS[name] ?? 'none'}' as row from "${name}" t) t`,
    );
    sums[name] = rows[0]!.sum;
  }
  return sums;
}

/** Parameters below the project or repository: what may be somebody else's. */
function parameters(line: Line): string[] {
  return [...line.path.matchAll(/(?<=\/):([a-z]+)/g)].map(([, name]) => name!).filter((name) => name !== 'project');
}

/** What is below /me has one owner, the caller, but its child can be somebody else's all the same. */
const lines = LINES.filter(
  (line) => (parameters(line).length > 0 && concerns(line) !== 'nothing') || line.path.startsWith('/api/v1/me/'),
).filter((line) => parameters(line).length > 0);

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
expectStatus(
  await hub.api('POST', '/issuers', {
    name: 'builds',
    url: 'https://builds.example.com',
    jwks: { keys: [publicKey.export({ format: 'jwk' })] },
  }),
  201,
);
const [a, b] = [await tenant('a'), await tenant('b')];

/** What the handler wants to see before it looks at the child. */
const BODIES: Readonly<Record<string, string>> = {
  'api-chart-yank': '{"reason":"none"}',
  'api-robot-token-create': '{"name":"t","actions":["pull"]}',
  'api-trust-rule-change': '{"disabled":true}',
  'api-robot-change': '{"disabled":true}',
};

function request(line: Line, where: Tenant, whose: Tenant) {
  const robots = line.path.includes(':robot');
  const builds = line.path.includes('/ci-sessions/');
  const tags = line.path.includes('/immutability/');
  const path = line.path
    .replace('*namespace', where.project)
    .replace('*address', `${where.project}/pack:1.0/x.txt`)
    .replace('*name', where.repository)
    .replace(':project', where.project)
    .replaceAll(
      /(?<=\/):([a-z]+)/g,
      (_, name: string) =>
        whose.children[
          robots && name === 'token' ? 'robot token' : builds ? 'ci session' : tags ? 'immutability rule' : name
        ]!,
    );
  const queries: Record<string, string> = {
    'end-6': `?digest=${whose.image.blobs[0]!.digest}`,
    'api-chart-diff': '?from=1.2.3',
  };
  const query = queries[line.id] ?? '';
  const manifest = line.id === 'end-7';
  return {
    method: line.method,
    path: `${path}${query}`,
    headers: { 'Content-Type': manifest ? whose.image.manifest.mediaType : 'application/json' },
    ...(line.method !== 'GET' &&
      line.method !== 'DELETE' && { body: manifest ? whose.image.manifest.bytes : (BODIES[line.id] ?? '{}') }),
  };
}

it.each(lines.map((line) => [line.id, line.method, line.path, line] as const))('%s: %s %s', async (_, _m, _p, line) => {
  for (const name of parameters(line)) expect(Object.keys(a.children), 'give each tenant one').toContain(name);
  const before = await dump();
  const pairs = [
    [a, b],
    [b, a],
    [b, b],
  ] as const;
  // Without a project in the path it is always one's own.
  for (const [where, whose] of concerns(line) === 'nothing' ? pairs.slice(0, 1) : pairs) {
    const asked = request(line, where, whose);
    for (const authorization of [basic(a.person.credentials), await jwt(where)]) {
      const answer = await send(hub.origin, { ...asked, headers: { ...asked.headers, Authorization: authorization } });
      const told = `${where === a ? 'own' : "the other's"} path, ${whose === a ? 'own' : "the other's"} child: ${answer.status} ${answer.body.toString()}`;
      // Who may not write to a repository is told so, whether or not it is there.
      const refusals = where === b && concerns(line) === 'repository' ? [404, 403] : [404];
      if (line.door === 'api' && authorization.startsWith('Bearer')) refusals.push(401);
      // An index of what refers to a digest is empty for any digest that is not there.
      if (line.id === 'end-12' && where === a) {
        expect(answer.json<{ manifests: unknown[] }>().manifests, told).toEqual([]);
        continue;
      }
      expect(refusals, told).toContain(answer.status);
    }
  }
  expect(await dump()).toEqual(before);
});

/** As wide as the first tenant can get it. */
async function jwt(where: Tenant): Promise<string> {
  const scope = encodeURIComponent(`repository:${where.repository}:pull,push,delete`);
  const headers = { Authorization: basic(a.person.credentials) };
  const answer = expectStatus(await send(hub.origin, { path: `/auth/token?scope=${scope}`, headers }), 200);
  return `Bearer ${answer.json<{ token: string }>().token}`;
}

it('the tenants can do all of that with what is their own', async () => {
  const own = request(
    lines.find(({ id }) => id === 'end-13')!,
    a,
    a,
  );
  const answer = await send(hub.origin, { ...own, headers: { Authorization: basic(a.person.credentials) } });
  expect(answer.status).toBe(204);
  expect((await a.person.client.repo(a.repository).getManifest(a.children['reference']!)).status).toBe(200);
});
