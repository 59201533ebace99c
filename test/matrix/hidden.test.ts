/**
 * What one may not see leaves no trace: the answer for it is byte for byte that for what is not there, and no route shows a word of it.
 * On this hub only administrators make projects; elsewhere a push to a name that is free makes it.
 */
import { describe, expect, it } from 'vitest';
import sql from 'sql-template-tag';
import { createPersonalToken } from '../../src/auth/personal-tokens.ts';
import { testHub } from '../harness/hub.ts';
import { basic, expectStatus, image, index, send, unique, type Answer } from '../harness/oci-client.ts';
import { eachOf } from './outcome.ts';
import type { Place } from './policy.ts';
import { ask, concerns, LINES, type Asked, type Line } from './tables.ts';

const hub = await testHub({ config: { projectCreation: 'admins' } });
const [stranger, neighbour] = [await hub.person(), await hub.person()];
await hub.project({ grants: { [neighbour.name]: 'owner' } });
const canary = (what: string) => unique(`canary-${what}-`);

// Everything private that there is has a word of its own in its name.
const former = await hub.project({ name: canary('former') });
const project = canary('project');
expectStatus(await hub.api('POST', `/projects/${former}/rename`, { name: project }), 200);
const repository = `${project}/${canary('repository')}`;
const formerly = `${project}/${canary('formerly')}`;
const repo = hub.admin.repo(repository);
const tag = canary('tag');
const pushed = image();
await repo.mustPushImage(pushed, tag);
const annotation = canary('annotation');
const referrer = index([], {
  extra: {
    subject: { mediaType: pushed.manifest.mediaType, digest: pushed.manifest.digest, size: pushed.manifest.size },
    annotations: { secret: annotation },
  },
});
await repo.mustPut(referrer);
const upload = (await repo.mustStart()).split('/').at(-1)!;
// One that had another name, in a project that had another name.
await hub.admin.repo(formerly).mustPut(index([]), tag);
const renaming = { from: formerly.split('/')[1]!, to: canary('renamed') };
expectStatus(await hub.api('POST', `/projects/${project}/repositories/rename`, renaming), 200);
// Teams are known to whoever is signed in; what they were given is not.
const team = unique('team-');
await hub.db.query(sql`insert into principals (kind, name) values ('team', ${team})`);
const given = await hub.api('PUT', `/projects/${project}/grants`, {
  subject: team,
  subject_type: 'team',
  role: 'owner',
});
const grant = expectStatus(given, 200).json<{ id: string }>().id;

const secrets = [
  project,
  repository.split('/')[1]!,
  renaming.to,
  tag,
  annotation,
  upload,
  pushed.manifest.digest,
  referrer.digest,
  ...pushed.blobs.map(({ digest }) => digest),
];

const as: Record<string, Record<string, string>> = {
  nobody: {},
  'a stranger': { Authorization: basic(stranger.credentials) },
  'the owner of another project': { Authorization: basic(neighbour.credentials) },
  'a token': { Authorization: `Bearer ${await tokenOf(neighbour.name)}` },
  'a registry token': { Authorization: `Bearer ${await registryToken()}` },
  'a registry token of nobody': { Authorization: `Bearer ${await registryToken({})}` },
};

async function tokenOf(name: string): Promise<string> {
  const row = await hub.db.first<{ id: number }>(sql`select id from principals where kind = 'user' and name = ${name}`);
  const request = { name: 'canary', actions: ['pull', 'push', 'delete', 'admin'] } as const;
  return (await createPersonalToken(hub.db, request, { id: row!.id })).token;
}

async function registryToken(
  headers: Record<string, string> = { Authorization: basic(neighbour.credentials) },
): Promise<string> {
  const scopes = [`repository:${repository}:pull,push,delete,*`, 'registry:catalog:*'];
  const query = new URLSearchParams(scopes.map((scope): [string, string] => ['scope', scope])).toString();
  const answer = expectStatus(await send(hub.origin, { path: `/auth/token?${query}`, headers }), 200);
  return answer.json<{ token: string }>().token;
}

/** All that comes back, as one text; a registry token is opened. */
function all(answer: Answer): string {
  const text = `${answer.rawHeaders.join('\n')}\n${answer.body.toString('utf8')}`;
  const opened = [...text.matchAll(/eyJ[\w-]+\.(eyJ[\w-]+)\./g)].map(([, part]) =>
    Buffer.from(part!, 'base64url').toString(),
  );
  return [text, ...opened].join('\n');
}

describe('a crawl over every route', () => {
  const children: Record<string, string[]> = {
    digest: [pushed.manifest.digest, pushed.blobs[0]!.digest],
    reference: [tag, pushed.manifest.digest],
    id: [upload],
    grant: [grant],
    name: ['web'],
    chart: ['web'],
    version: ['1.2.3'],
    file: ['web-1.2.3.tgz'],
    robot: ['matrix'],
    session: ['1'],
    share: ['1'],
    team: [team],
    token: ['1'],
    user: ['admin'],
  };
  const called = [
    { project, repository },
    { project: former, repository: repository.replace(project, former) },
    { project: former, repository: formerly.replace(project, former) },
  ];
  const asked: Asked[] = called.flatMap((each) => LINES.flatMap((line) => askedOf(line, each)));

  function askedOf(line: Line, names: Pick<Place, 'project' | 'repository'>): Asked[] {
    const [first = '', ...more] = [...line.path.matchAll(/(?<=\/):([a-z]+)/g)]
      .map(([, name]) => name!)
      .filter((name) => name !== 'project');
    return (children[first] ?? ['none']).map((child) => ({
      ...ask(line, names as Place),
      path: line.path
        .replace('*namespace', names.project)
        .replace('*address', `${names.repository}:${tag}/x.txt`)
        .replace('*name', names.repository)
        .replace(':project', names.project)
        .replace(`:${first}`, child)
        .replaceAll(/(?<=\/):([a-z]+)/g, (_, name: string) => children[name]?.[0] ?? String(more.indexOf(name))),
    }));
  }
  const queries = [
    '',
    '?limit=1000',
    '?n=1000',
    `?last=${project.slice(0, -1)}`,
    '?limit=1',
    '?n=1',
    '?artifactType=x',
    `?from=${repository}&mount=${pushed.blobs[0]!.digest}`,
  ];

  it.each(Object.keys(as))('by %s finds not a word', async (who) => {
    const found: string[] = [];
    const requests = asked.flatMap((one) =>
      // Removing is for who may; the rest of the queries is for lists and mounts.
      one.method === 'GET' || one.method === 'POST'
        ? queries.map((query) => ({ ...one, path: `${one.path}${query}` }))
        : [one],
    );
    await eachOf(requests, async (one) => {
      const answer = await send(hub.origin, { ...one, headers: { ...one.headers, ...as[who] } });
      const text = all(answer);
      const heard = JSON.stringify(one);
      for (const secret of secrets) {
        // An answer may repeat what it was asked, such as the scope in a challenge.
        if (text.includes(secret) && !heard.includes(secret))
          found.push(`${one.method} ${one.path}: ${answer.status} says ${secret}`);
      }
      if (answer.status < 300 && [project, former].some((name) => one.path.split('?')[0]!.includes(name))) {
        found.push(`${one.method} ${one.path}: ${answer.status}`);
      }
    });
    expect(found.slice(0, 10)).toEqual([]);
  });

  it('by who may see it all finds each of them', async () => {
    const found = new Set<string>();
    const headers = { Authorization: basic(hub.adminCredentials) };
    // The trail is read below the oldest transaction of the whole cluster, which other test files share.
    const trail = `/api/v1/projects/${project}/audit`;
    await expect
      .poll(async () => all(await send(hub.origin, { path: trail, headers })), { timeout: 10_000 })
      .toContain(project);
    for (const path of [
      '/v2/_catalog',
      `/v2/${repository}/tags/list`,
      `/v2/${repository}/referrers/${pushed.manifest.digest}`,
      `/v2/${repository}/manifests/${tag}`,
      `/api/v1/projects/${project}/grants`,
      `/api/v1/projects/${project}/audit`,
    ]) {
      const text = all(await send(hub.origin, { path, headers }));
      for (const secret of secrets) if (text.includes(secret)) found.add(secret);
    }
    expect(secrets.filter((secret) => secret !== upload && !found.has(secret))).toEqual([]);
  });
});

describe('missing and forbidden', () => {
  const missing = { project: unique('missing-'), repository: '' };
  missing.repository = `${missing.project}/${repository.split('/')[1]!}`;
  const hiding = [
    { project, repository },
    { project: former, repository: repository.replace(project, former) },
    { project, repository: formerly },
    { project: former, repository: formerly.replace(project, former) },
  ];
  const lines = LINES.filter((line) => concerns(line) !== 'nothing');

  /** Everything but the request's id, the date, and the names that were asked for. */
  function bytes(answer: Answer, names: { project: string; repository: string }): string {
    const id = answer.header('X-Request-Id')!;
    return [`${answer.status}`, ...answer.rawHeaders, answer.body.toString('utf8')]
      .join('\n')
      .replaceAll(/\nDate\n[^\n]+/gi, '')
      .replaceAll(id, 'ID')
      .replaceAll(encodeURIComponent(names.repository), 'REPOSITORY')
      .replaceAll(names.repository, 'REPOSITORY')
      .replaceAll(names.project, 'PROJECT');
  }

  it.each(Object.keys(as))('are the same bytes for %s', async (who) => {
    const different: string[] = [];
    await eachOf(lines, async (line) => {
      for (const head of line.method === 'GET' ? [false, true] : [false]) {
        const [gone, ...hidden] = await Promise.all(
          [missing, ...hiding].map(async (names) => {
            const one = ask(line, names as Place);
            const method = head ? 'HEAD' : one.method;
            return bytes(await send(hub.origin, { ...one, method, headers: { ...one.headers, ...as[who] } }), names);
          }),
        );
        for (const answer of hidden) {
          if (answer !== gone) different.push(`${line.method} ${line.path}:\n${answer}\nand\n${gone}`);
        }
      }
    });
    expect(different.slice(0, 3)).toEqual([]);
  });

  it('are not the same for who may see it', async () => {
    const headers = { Authorization: basic(hub.adminCredentials) };
    const [there, gone] = await Promise.all(
      [project, missing.project].map((name) => send(hub.origin, { path: `/api/v1/projects/${name}`, headers })),
    );
    expect([there!.status, gone!.status]).toEqual([200, 404]);
  });
});
