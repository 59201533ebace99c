/** A hub with every kind of principal, credential and resource, for the matrix and its neighbours. */
import sql from 'sql-template-tag';
import { createPersonalToken } from '../../src/auth/personal-tokens.ts';
import type { Principal } from '../../src/auth/principal.ts';
import type { AccessEntry } from '../../src/auth/registry-tokens.ts';
import { testHub, type Person, type TestHub } from '../harness/hub.ts';
import { basic, expectStatus, index, send, unique } from '../harness/oci-client.ts';
import { filesClient } from '../files/harness.ts';
import { chart } from '../helm/charts.ts';
import { sign, signingKey, trust } from '../ci-identity/issuer.ts';
import { classic } from '../helm/client.ts';
import type { Action } from './needs.ts';
import { chartOf, filesOf, namespaceOf, type Credential, type Holding, type Place, type Subject } from './policy.ts';

/** A credential, and what has to be sent for it. */
export interface Sender extends Credential {
  /** @param place what a registry token is asked for */
  readonly headers: (place: Place) => Promise<Record<string, string>>;
}

export interface World {
  readonly hub: TestHub;
  readonly senders: readonly Sender[];
  readonly places: readonly Place[];
}

const ALL: readonly Action[] = ['pull', 'push', 'delete', 'admin'];
const ROLES: Readonly<Record<string, readonly Action[]>> = {
  reader: ['pull'],
  writer: ['pull', 'push'],
  maintainer: ['pull', 'push', 'delete'],
  owner: ALL,
};
const everywhere = () => true;
const teamA = (within: string) => within === 'team-a' || within.startsWith('team-a/');
const NOBODY: Subject = { name: 'nobody', signedIn: false, person: false, admin: false, holdings: [] };

export async function makeWorld(): Promise<World> {
  const hub = await testHub();
  const [former, closed] = [await hub.project(), unique('p')];
  expectStatus(await hub.api('POST', `/projects/${former}/rename`, { name: closed }), 200);
  const open = await hub.project({ visibility: 'public' });
  const everyones = await hub.project();
  const made = await makePlaces(hub, closed, open, everyones);
  const now = made[0]!;
  const places = [
    ...made,
    {
      ...now,
      name: 'private, by a former name',
      project: former,
      repository: now.repository.replace(closed, former),
      now,
    },
  ];
  const projects = [closed, open];
  const senders: Sender[] = [];

  /** A person who has been given something in the private and the public project. */
  async function person(name: string, grant?: Record<string, unknown>, holding?: Partial<Holding>) {
    const who = await hub.person();
    if (grant !== undefined) await give({ subject: who.name, ...grant });
    const actions = ROLES[(grant?.['role'] as string) ?? ''] ?? [];
    const holdings = projects
      .filter(() => grant !== undefined)
      .map((project): Holding => ({ project, actions, covers: everywhere, ...holding }));
    return { who, subject: { name, signedIn: true, person: true, admin: false, holdings } };
  }

  async function give(grant: Record<string, unknown>): Promise<void> {
    for (const project of projects) expectStatus(await hub.api('PUT', `/projects/${project}/grants`, grant), 200);
  }

  /** Everything that someone with a password can show. */
  async function add({ who, subject }: { who: Person; subject: Subject }): Promise<void> {
    const authorization = basic(who.credentials);
    senders.push(sender(subject, 'password', 'good', 'password', authorization));
    const token = await tokenOf(hub, who.name, { actions: ALL });
    if (['stranger', 'owner', 'administrator'].includes(subject.name))
      senders.push(
        sender(subject, 'Basic name:token', 'good', 'token', basic({ username: who.name, password: token })),
        sender(subject, 'Basic <token>:token', 'good', 'token', basic({ username: '<token>', password: token })),
      );
    senders.push(
      sender(subject, 'Bearer token', 'good', 'token', `Bearer ${token}`),
      ...exchanged(hub, subject, authorization, {}),
      await inBrowser(hub, who, subject),
    );
  }

  /** A token that is narrower than its owner, as it is and exchanged. */
  async function narrow(
    { who, subject }: { who: Person; subject: Subject },
    how: string,
    limits: Pick<Credential, 'actions' | 'covers' | 'touches'> & { paths?: string[] },
  ): Promise<void> {
    const { paths, ...model } = limits;
    const token = await tokenOf(hub, who.name, { actions: limits.actions ?? ALL, ...(paths && { paths }) });
    const authorization = basic({ username: '', password: token });
    senders.push({ ...sender(subject, how, 'good', 'token', authorization), ...model });
    for (const one of exchanged(hub, subject, authorization, model))
      senders.push({ ...one, how: `${how}, ${one.how}` });
  }

  senders.push(sender(NOBODY, 'no credentials', 'none', 'password'), ...exchanged(hub, NOBODY, undefined, {}));
  await add(await person('stranger'));
  for (const role of ['reader', 'writer', 'maintainer']) await add(await person(role, { role }));
  const owner = await person('owner', { role: 'owner' });
  await add(owner);
  await add(await person('owner of team-a', { role: 'owner', path_glob: 'team-a/**' }, { covers: teamA }));
  await add(
    await person(
      'creator',
      { role: 'maintainer', create_only: true },
      { actions: ['pull', 'push'], createsOnly: true },
    ),
  );
  await add(
    await person(
      'maintainer of dev-*',
      { role: 'maintainer', tag_glob: 'dev-*' },
      { tags: (tag) => tag.startsWith('dev-') },
    ),
  );
  const admin = await person('administrator');
  expectStatus(await hub.api('PATCH', `/users/${admin.who.name}`, { admin: true }), 200);
  const boss = { ...admin, subject: { ...admin.subject, admin: true } };
  await add(boss);

  const member = await person('team member');
  await addToTeam(hub, member.who.name, give);
  const ofTeam = projects.map((project): Holding => ({ project, actions: ROLES['writer']!, covers: everywhere }));
  await add({ ...member, subject: { ...member.subject, holdings: ofTeam } });

  for (const one of [owner, boss]) {
    const inTeamA = {
      covers: (path: string) => path.startsWith(`${closed}/`) && teamA(path.slice(closed.length + 1)),
      touches: (project: string) => project === closed,
      paths: [`${closed}/team-a/**`],
    };
    await narrow(one, 'token to pull', { actions: ['pull'] });
    await narrow(one, 'token to push', { actions: ['push'] });
    await narrow(one, 'token for a path', inTeamA);
  }
  senders.push(...(await others(hub, projects, give)), ...(await build(hub, closed)), ...(await over(hub, owner)));
  return { hub, senders, places };
}

async function makePlaces(hub: TestHub, closed: string, open: string, everyones: string): Promise<Place[]> {
  const grant = { subject: 'everyone', role: 'reader' };
  expectStatus(await hub.api('PUT', `/projects/${everyones}/grants`, grant), 200);
  const place = (name: string, project: string, rest: string, kind: Place['kind'], there: boolean): Place => ({
    name,
    project,
    repository: `${project}/${rest}`,
    kind,
    repositoryExists: there,
  });
  const places = [
    place('private', closed, 'app', 'private', true),
    place('private, nothing there', closed, 'none', 'private', false),
    place('private, of team-a', closed, 'team-a/app', 'private', true),
    place('public', open, 'app', 'public', true),
    place('public, nothing there', open, 'none', 'public', false),
    place("everyone's", everyones, 'app', 'open', true),
    place('no project', unique('gone'), 'app', undefined, false),
  ];
  const packed = await chart({ files: { 'README.md': '# Web\n', 'values.schema.json': '{}' } });
  const namespaces = new Set(places.filter(({ kind }) => kind !== undefined).map(namespaceOf));
  for (const namespace of namespaces) expectStatus(await classic(hub, namespace).upload(packed.bytes), 201);
  const homes = new Set(places.filter(({ kind }) => kind !== undefined).map(filesOf));
  for (const home of homes) {
    const files = filesClient(hub, home);
    expectStatus(await files.put('1.0', 'x.txt', 'x'), 201);
    expectStatus(await files.ask('POST', `${files.at('1.0')}?finalise`), 200);
  }
  for (const project of [closed, open, everyones]) {
    expectStatus(await hub.api('POST', `/projects/${project}/robots`, { name: 'matrix' }), 201);
  }
  for (const { repository, repositoryExists } of places) {
    if (repositoryExists) await hub.admin.repo(repository).mustPut(index([]), 'v1');
  }
  return places;
}

function sender(
  subject: Subject,
  how: string,
  state: Credential['state'],
  kind: Credential['kind'],
  authorization?: string,
): Sender {
  const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization };
  return { subject, how, state, kind, headers: async () => headers };
}

/** Registry tokens that were asked for everything, and for pulling alone; one for each place. */
function exchanged(
  hub: TestHub,
  subject: Subject,
  authorization: string | undefined,
  limits: Pick<Credential, 'actions' | 'covers' | 'touches'>,
): Sender[] {
  const make = (kind: 'wide jwt' | 'narrow jwt', actions: string, more: readonly string[]): Sender => {
    const tokens = new Map<string, Promise<string>>();
    const fetch = async (place: Place): Promise<string> => {
      const scopes = [place.repository, chartOf(place), filesOf(place)].map((path) => `repository:${path}:${actions}`);
      const query = new URLSearchParams(
        [...scopes, ...more].map((scope): [string, string] => ['scope', scope]),
      ).toString();
      const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization };
      const answer = expectStatus(await send(hub.origin, { path: `/auth/token?${query}`, headers }), 200);
      return `Bearer ${answer.json<{ token: string }>().token}`;
    };
    const headers = async (place: Place) => {
      let token = tokens.get(place.repository);
      if (token === undefined) tokens.set(place.repository, (token = fetch(place)));
      return { Authorization: await token };
    };
    return { subject, how: kind, state: 'good', kind, ...limits, headers };
  };
  return [make('wide jwt', 'pull,push,delete,*', ['registry:catalog:*']), make('narrow jwt', 'pull', [])];
}

/** The session of a browser, which counts on /api/v1 and /auth/token alone. */
async function inBrowser(hub: TestHub, who: Person, subject: Subject): Promise<Sender> {
  const { username: name, password } = who.credentials;
  const answer = await send(hub.origin, {
    method: 'POST',
    path: '/api/v1/session',
    headers: { 'Content-Type': 'application/json', Origin: hub.origin },
    body: JSON.stringify({ name, password }),
  });
  const { csrf_token: csrf } = expectStatus(answer, 201).json<{ csrf_token: string }>();
  const headers = { Cookie: answer.header('Set-Cookie')!.split(';')[0]!, 'X-Berth-CSRF': csrf, Origin: hub.origin };
  return { subject, how: 'session', state: 'good', kind: 'session', headers: async () => headers };
}

async function tokenOf(
  hub: TestHub,
  owner: string,
  limits: { readonly actions: readonly Action[]; readonly paths?: readonly string[] },
): Promise<string> {
  return (await createPersonalToken(hub.db, { name: 'matrix', ...limits }, { id: await idOf(hub, 'user', owner) }))
    .token;
}

async function idOf(hub: TestHub, kind: string, name: string): Promise<number> {
  const row = await hub.db.first<{ id: number }>(
    sql`select id from principals where kind = ${kind} and name = ${name}`,
  );
  return row!.id;
}

async function addToTeam(
  hub: TestHub,
  user: string,
  give: (grant: Record<string, unknown>) => Promise<void>,
): Promise<void> {
  const name = unique('team-');
  const team = await hub.db.first<{ id: number }>(
    sql`insert into principals (kind, name) values ('team', ${name}) returning id`,
  );
  const id = await idOf(hub, 'user', user);
  await hub.db.query(sql`insert into team_members (team_id, member_id) values (${team!.id}, ${id})`);
  await hub.db.query(sql`update principals set epoch = epoch + 1 where id = ${id}`);
  await give({ subject: name, subject_type: 'team', role: 'writer' });
}

/** A robot with a token of its own, and a CI session by registry tokens that the hub issues to it. */
async function others(
  hub: TestHub,
  projects: readonly string[],
  give: (grant: Record<string, unknown>) => Promise<void>,
): Promise<Sender[]> {
  const machine = (name: string, role: string, covers: Holding['covers']): Subject => ({
    name,
    signedIn: true,
    person: false,
    admin: false,
    holdings: projects.map((project): Holding => ({ project, actions: ROLES[role]!, covers })),
  });
  const made = await hub.api('POST', '/robots', { name: unique('r') });
  const { name, account } = expectStatus(made, 201).json<{ name: string; account: string }>();
  await give({ subject: account, subject_type: 'robot', role: 'maintainer' });
  const given = await hub.api('POST', `/robots/${name}/tokens`, { name: 'matrix', actions: ALL });
  const { token } = expectStatus(given, 201).json<{ token: string }>();
  const robot = machine('robot', 'maintainer', everywhere);
  const authorization = basic({ username: account, password: token });

  const rule = await principal(hub, 'trust_rule');
  await give({ subject: rule.name, subject_type: 'trust_rule', role: 'writer', path_glob: 'team-a/**' });
  const session = await principal(hub, 'ci_session', rule.id);
  const { tokens, config } = hub.context;
  const issue = (kind: 'wide jwt' | 'narrow jwt', actions: string[], more: AccessEntry[]): Sender => ({
    subject: machine('CI session', 'writer', teamA),
    how: kind,
    state: 'good',
    kind,
    headers: async (place) => {
      const paths = [place.repository, chartOf(place), filesOf(place)];
      const access = [...paths.map((path): AccessEntry => ({ type: 'repository', name: path, actions })), ...more];
      return { Authorization: `Bearer ${(await tokens.issue(session, access, config.publicUrls[0]!)).token}` };
    },
  });
  return [
    sender(robot, 'Basic name:token', 'good', 'token', authorization),
    sender(robot, 'Bearer token', 'good', 'token', `Bearer ${token}`),
    ...exchanged(hub, robot, authorization, {}),
    issue('wide jwt', ['pull', 'push', 'delete'], [{ type: 'registry', name: 'catalog', actions: ['*'] }]),
    issue('narrow jwt', ['pull'], []),
  ];
}

/** The token of a build, which a trust rule of one project lets in. */
async function build(hub: TestHub, project: string): Promise<Sender[]> {
  const key = await signingKey();
  const issuer = { name: unique('i'), url: 'https://builds.example.com', jwks: { keys: [key.jwk] } };
  expectStatus(await hub.api('POST', '/issuers', issuer), 201);
  // An owner, and still nothing but artifacts.
  await trust(hub, issuer.name, project, {}, 'owner');
  const token = await sign(issuer.url, key, { exp: Math.floor(Date.now() / 1000) + 3_600 });
  const holdings = [{ project, actions: ALL, covers: everywhere }];
  const subject: Subject = { name: 'build', signedIn: true, person: false, admin: false, holdings };
  const limits = { actions: ROLES['maintainer']! };
  const authorization = basic({ username: 'ci', password: token });
  return [
    { ...sender(subject, 'Basic name:CI token', 'good', 'token', authorization), ...limits },
    { ...sender(subject, 'Bearer CI token', 'good', 'token', `Bearer ${token}`), ...limits },
    ...exchanged(hub, subject, authorization, limits),
  ];
}

async function principal(hub: TestHub, kind: 'trust_rule' | 'ci_session', parentId?: number): Promise<Principal> {
  const name = unique(`${kind.replace('_', '-')}-`);
  const row = await hub.db.first<{ id: number }>(sql`
    insert into principals (kind, name, parent_id) values (${kind}, ${name}, ${parentId ?? null}) returning id`);
  return { kind, id: row!.id, name, admin: false, epoch: 1, credential: 'token' };
}

/** What is no credential any more, or never was one. */
async function over(hub: TestHub, owner: { who: Person; subject: Subject }): Promise<Sender[]> {
  const { subject, who } = owner;
  const bad = (how: string, authorization: string) => sender(subject, how, 'over', 'password', authorization);
  const fired = await hub.person();
  const firedToken = await tokenOf(hub, fired.name, { actions: ALL });
  const before = await send(hub.origin, { path: '/auth/token', headers: { Authorization: basic(fired.credentials) } });
  const stale = expectStatus(before, 200).json<{ token: string }>().token;
  expectStatus(await hub.api('PATCH', `/users/${fired.name}`, { disabled: true }), 200);
  const [expired, revoked] = [
    await tokenOf(hub, who.name, { actions: ALL }),
    await tokenOf(hub, who.name, { actions: ALL }),
  ];
  const newest = sql`(select id from tokens order by id desc limit 1)`;
  await hub.db.query(sql`update tokens set revoked_at = now() where id = ${newest}`);
  await hub.db.query(sql`update tokens set expires_at = now() - interval '1 second' where id = ${newest} - 1`);
  return [
    bad('password of someone disabled', basic(fired.credentials)),
    bad('token of someone disabled', `Bearer ${firedToken}`),
    bad('registry token of someone disabled', `Bearer ${stale}`),
    bad('expired token', `Bearer ${expired}`),
    bad('revoked token', basic({ username: who.name, password: revoked })),
    bad(
      'token under another name',
      basic({ username: 'admin', password: await tokenOf(hub, who.name, { actions: ALL }) }),
    ),
    bad('wrong password', basic({ username: fired.name, password: 'wrong-password' })),
    bad('forged registry token', `Bearer ${stale.slice(0, -8)}AAAAAAAA`),
    bad('no token at all', 'Bearer nonsense'),
    bad('another scheme', 'Digest username="admin"'),
  ];
}
