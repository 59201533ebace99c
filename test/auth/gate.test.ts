import sql from 'sql-template-tag';
import { beforeAll, describe, expect, test } from 'vitest';
import { createGate } from '../../src/auth/gate.ts';
import { ANONYMOUS, type Action, type Limits, type Principal, type Target } from '../../src/auth/principal.ts';
import { createFacts, newGrant, newProject, newUser } from './harness.ts';
import { testDatabase } from '../harness/database.ts';

const { db } = await testDatabase();
const gate = createGate(db, { projectCreation: 'users' });
const facts = createFacts(db);
const ACTIONS = ['pull', 'push', 'delete', 'admin'] as const;

async function person(options: { admin?: boolean } = {}): Promise<Principal> {
  const { id, name, admin } = await newUser(db, options);
  return { kind: 'user', id, name, admin, epoch: 1, credential: 'password' };
}

/** What the gate allows, of everything one can ask for. */
async function allowed(principal: Principal, path: string, more: Partial<Target> = {}): Promise<string> {
  const target = { ...(await facts(path, principal.id)), ...more };
  const verdicts = await Promise.all(ACTIONS.map((action) => gate.decide(principal, action, target)));
  return ACTIONS.filter((_, i) => verdicts[i]?.effect === 'allow').join(' ');
}

async function decide(principal: Principal, action: Action, path: string, more: Partial<Target> = {}) {
  return gate.decide(principal, action, { ...(await facts(path, principal.id)), ...more });
}

let jane: Principal;
let admin: Principal;
beforeAll(async () => {
  jane = await person();
  admin = await person({ admin: true });
});

describe('roles', () => {
  test.each([
    ['reader', 'pull'],
    ['writer', 'pull push'],
    ['maintainer', 'pull push delete'],
    ['owner', 'pull push delete admin'],
  ])('%s: %s', async (role, expected) => {
    const project = await newProject(db);
    await newGrant(db, project.id, jane.id, { role });
    expect(await allowed(jane, `${project.name}/app`)).toBe(expected);
    expect(await allowed(jane, project.name)).toBe(expected);
    expect(await allowed(await person(), `${project.name}/app`)).toBe('');
    expect(await allowed(ANONYMOUS, `${project.name}/app`)).toBe('');
    expect(await allowed(admin, `${project.name}/app`)).toBe('pull push delete admin');
  });

  test('add up, and say which one it was', async () => {
    const project = await newProject(db);
    await newGrant(db, project.id, jane.id, { role: 'reader' });
    await newGrant(db, project.id, jane.id, { role: 'maintainer', pathGlob: 'team-a/**' });
    expect(await allowed(jane, `${project.name}/team-b/app`)).toBe('pull');
    expect(await allowed(jane, `${project.name}/team-a/app`)).toBe('pull push delete');
    expect((await decide(jane, 'delete', `${project.name}/team-a/app`)).reason).toMatch(
      new RegExp(`^grant \\d+: user:${jane.name} is maintainer of team-a/\\*\\*$`),
    );
    expect(await decide(jane, 'delete', `${project.name}/x`)).toEqual({
      effect: 'deny',
      reason: 'no grant allows delete',
      warnings: [],
    });
  });

  test('end when they expire, also while they are remembered', async () => {
    let clock = 0;
    const ticking = createGate(db, { projectCreation: 'users' }, () => clock);
    const project = await newProject(db);
    await newGrant(db, project.id, jane.id, { role: 'writer', expiresIn: 60 });
    await newGrant(db, project.id, jane.id, { role: 'reader', pathGlob: 'old', expiresIn: -60 });
    const target = await facts(`${project.name}/old`, jane.id);
    expect((await ticking.decide(jane, 'push', target)).effect).toBe('allow');
    clock += 61_000;
    expect((await ticking.decide(jane, 'push', target)).effect).toBe('deny');
    expect((await ticking.decide(jane, 'pull', target)).effect).toBe('deny');
    expect((await ticking.sees(jane, target)).effect).toBe('deny');
  });
});

describe('paths', () => {
  test('a grant on part of a project says nothing about the rest, nor about the project itself', async () => {
    const project = await newProject(db);
    await newGrant(db, project.id, jane.id, { role: 'owner', pathGlob: 'team-a/**' });
    expect(await allowed(jane, `${project.name}/team-a`)).toBe('pull push delete admin');
    expect(await allowed(jane, `${project.name}/team-a/web/api`)).toBe('pull push delete admin');
    for (const path of [project.name, `${project.name}/team-ab`, `${project.name}/team-b/team-a`]) {
      expect(await allowed(jane, path), path).toBe('');
    }
    expect((await gate.sees(jane, await facts(project.name, jane.id))).effect).toBe('allow');
  });
});

describe('tags', () => {
  test('a tag glob limits create, overwrite and delete of tags, but neither reads nor bytes', async () => {
    const project = await newProject(db);
    await newGrant(db, project.id, jane.id, { role: 'maintainer', tagGlob: 'dev-*' });
    const path = `${project.name}/app`;
    expect(await allowed(jane, path)).toBe('pull push delete');
    for (const change of ['create', 'overwrite'] as const) {
      expect(await allowed(jane, path, { tag: 'dev-1', change })).toBe('pull push delete');
      expect(await allowed(jane, path, { tag: 'v1', change })).toBe('pull');
    }
    expect(await allowed(jane, path, { tag: 'v1', change: 'delete' })).toBe('pull');
    expect(await allowed(jane, path, { tag: 'v1' })).toBe('pull');
  });

  test('create only may make tags, but not move or delete them', async () => {
    const project = await newProject(db);
    await newGrant(db, project.id, jane.id, { role: 'maintainer', createOnly: true });
    const path = `${project.name}/app`;
    expect(await allowed(jane, path)).toBe('pull push');
    expect(await allowed(jane, path, { tag: 'v1', change: 'create' })).toBe('pull push');
    expect(await allowed(jane, path, { tag: 'v1', change: 'overwrite' })).toBe('pull');
    expect(await allowed(jane, path, { tag: 'v1', change: 'delete' })).toBe('pull');
  });

  test('another grant may allow what the first one does not', async () => {
    const project = await newProject(db);
    await newGrant(db, project.id, jane.id, { role: 'writer', createOnly: true });
    await newGrant(db, project.id, jane.id, { role: 'writer', tagGlob: 'latest' });
    const path = `${project.name}/app`;
    expect(await allowed(jane, path, { tag: 'latest', change: 'overwrite' })).toBe('pull push');
    expect(await allowed(jane, path, { tag: 'v1', change: 'overwrite' })).toBe('pull');
  });
});

describe('everyone', () => {
  test('may pull from a public project, and nothing else', async () => {
    const project = await newProject(db, 'public');
    for (const principal of [ANONYMOUS, jane]) {
      expect(await allowed(principal, `${project.name}/app`)).toBe('pull');
      expect((await gate.sees(principal, await facts(project.name, principal.id))).effect).toBe('allow');
    }
  });

  test('may be given more; but without signing in it is never more than pulling', async () => {
    const project = await newProject(db);
    await newGrant(db, project.id, 'everyone', { role: 'owner', pathGlob: 'open/**' });
    expect(await allowed(jane, `${project.name}/open/x`)).toBe('pull push delete admin');
    expect(await allowed(ANONYMOUS, `${project.name}/open/x`)).toBe('pull');
    expect(await allowed(ANONYMOUS, `${project.name}/closed/x`)).toBe('');
  });
});

describe('projects that do not exist', () => {
  test('can be made by a push of someone who is signed in, if the name can be used', async () => {
    expect(await allowed(jane, 'a-new-one/app')).toBe('push');
    expect(await allowed(ANONYMOUS, 'a-new-one/app')).toBe('');
    expect(await allowed({ ...jane, kind: 'robot' }, 'a-new-one/app')).toBe('');
    expect((await decide(jane, 'push', 'a-new-one/app')).reason).toBe('user, creates the project');
  });

  test.each([
    'api',
    'v2',
    'auth',
    'files',
    'charts',
    'cli',
    'ui',
    'assets',
    'ghcr.io',
    'a.b',
    'Upper',
    '-a',
    'x'.repeat(65),
    '',
  ])('not even by an administrator with the name %j', async (name) => {
    for (const principal of [jane, admin]) {
      const { effect, reason } = await decide(principal, 'push', `${name}/app`);
      expect(effect).toBe('deny');
      expect(reason).toMatch(/^project cannot be created: .+\.$/);
    }
  });

  test('only by administrators where the hub says so', async () => {
    const strict = createGate(db, { projectCreation: 'admins' });
    const target = await facts('a-new-one/app', jane.id);
    expect(await strict.decide(jane, 'push', target)).toMatchObject({
      effect: 'deny',
      reason: 'project cannot be created: only administrators create projects here',
    });
    expect((await strict.decide(admin, 'push', { ...target, principalEpoch: 1 })).effect).toBe('allow');
  });
});

describe('the limits of a credential', () => {
  const limited = (principal: Principal, limits: Limits): Principal => ({ ...principal, credential: 'token', limits });

  test('narrow actions and paths, of administrators too', async () => {
    const project = await newProject(db);
    await newGrant(db, project.id, jane.id, { role: 'owner' });
    for (const principal of [jane, admin]) {
      expect(await allowed(limited(principal, { actions: ['pull'] }), `${project.name}/app`)).toBe('pull');
      const inTeam = limited(principal, { actions: ['pull', 'push'], paths: [`${project.name}/team-a/**`] });
      expect(await allowed(inTeam, `${project.name}/team-a/app`)).toBe('pull push');
      expect(await allowed(inTeam, `${project.name}/team-b/app`)).toBe('');
      expect(await allowed(limited(principal, { actions: [] }), `${project.name}/app`)).toBe('');
    }
  });

  test('never widen', async () => {
    const project = await newProject(db);
    await newGrant(db, project.id, jane.id, { role: 'reader' });
    expect(await allowed(limited(jane, { actions: [...ACTIONS], paths: ['**'] }), `${project.name}/app`)).toBe('pull');
  });

  test('hold for public projects and for new ones', async () => {
    const open = await newProject(db, 'public');
    const elsewhere = limited(jane, { actions: ['pull', 'push'], paths: ['elsewhere/**'] });
    expect(await allowed(elsewhere, `${open.name}/app`)).toBe('');
    expect(await allowed(elsewhere, 'a-new-one/app')).toBe('');
    expect(await allowed(elsewhere, 'elsewhere/app')).toBe('push');
    expect((await gate.sees(elsewhere, await facts(open.name, jane.id))).effect).toBe('deny');
  });

  test('are not a matter of asking for a wider registry token', async () => {
    const open = await newProject(db, 'public');
    const verdict = await decide(
      { ...limited(jane, { actions: ['push'] }), access: new Map() },
      'pull',
      `${open.name}/app`,
    );
    expect(verdict).toMatchObject({ effect: 'deny', reason: 'beyond the limits of the token' });
    expect(verdict.insufficientScope).toBeUndefined();
  });
});

describe('a registry token', () => {
  test('narrows to what it was asked for; what its subject may do besides is worth asking again', async () => {
    const project = await newProject(db);
    await newGrant(db, project.id, jane.id, { role: 'writer' });
    const path = `${project.name}/app`;
    const token: Principal = { ...jane, credential: 'registry_token', access: new Map([[path, ['pull']]]) };
    expect(await allowed(token, path)).toBe('pull');
    expect(await decide(token, 'push', path)).toMatchObject({ effect: 'deny', insufficientScope: true });
    expect(await decide(token, 'pull', `${project.name}/other`)).toMatchObject({
      effect: 'deny',
      insufficientScope: true,
    });
    expect((await decide(token, 'delete', path)).insufficientScope).toBeUndefined();
  });

  test('gives nothing that its subject does not have any more', async () => {
    const project = await newProject(db);
    const path = `${project.name}/app`;
    const token: Principal = { ...jane, credential: 'registry_token', access: new Map([[path, [...ACTIONS]]]) };
    expect(await allowed(token, path)).toBe('');
  });

  test('of nobody still needs to have been asked for, in a public project', async () => {
    const open = await newProject(db, 'public');
    const nobody: Principal = { ...ANONYMOUS, credential: 'registry_token', access: new Map() };
    expect(await decide(nobody, 'pull', `${open.name}/app`)).toMatchObject({ effect: 'deny', insufficientScope: true });
  });

  test('does not matter for mounts and for what shows: there the credential counts', async () => {
    const project = await newProject(db);
    await newGrant(db, project.id, jane.id, { role: 'reader' });
    const path = `${project.name}/app`;
    const target = await facts(path, jane.id);
    const token: Principal = { ...jane, credential: 'registry_token', access: new Map() };
    expect((await gate.mayMountFrom(token, target)).effect).toBe('allow');
    expect((await gate.sees(token, target)).effect).toBe('allow');
    const narrow: Principal = { ...token, limits: { actions: ['pull'], paths: ['elsewhere/**'] } };
    expect((await gate.mayMountFrom(narrow, target)).effect).toBe('deny');
    expect((await gate.mayMountFrom(await person(), target)).effect).toBe('deny');
  });
});

describe('anywhere in a project', () => {
  test('may push whom some path could be allowed to', async () => {
    const project = await newProject(db, 'public');
    const [writer, reader, late] = [await person(), await person(), await person()];
    await newGrant(db, project.id, writer.id, { role: 'writer', pathGlob: 'charts/web' });
    await newGrant(db, project.id, reader.id, { role: 'reader' });
    await newGrant(db, project.id, late.id, { role: 'writer', expiresIn: -1 });
    const may = async (who: Principal, action: Action = 'push') =>
      (await gate.mayAnywhere(who, action, await facts(project.name, who.id))).effect;
    expect([await may(writer), await may(reader), await may(late), await may(ANONYMOUS)]).toEqual([
      ...['allow', 'deny', 'deny', 'deny'],
    ]);
    expect(await may(writer, 'delete')).toBe('deny');
    const root = { ...(await person()), admin: true };
    expect(await may(root)).toBe('allow');
    expect(await may({ ...root, limits: { actions: ['pull'] } })).toBe('deny');
    expect(await may({ ...root, limits: { actions: ['push'], paths: ['elsewhere/**'] } })).toBe('deny');
    expect(await may({ ...root, limits: { actions: ['push'], paths: [`${project.name}/app`] } })).toBe('allow');
    expect(await may({ ...root, access: new Map([[`${project.name}/app`, ['pull'] as const]]) })).toBe('deny');
    expect(await may({ ...root, access: new Map([[`${project.name}/app`, ['push'] as const]]) })).toBe('allow');
    expect(await may({ ...root, epoch: 0 })).toBe('deny');
  });
});

describe('staleness', () => {
  test('whoever changed since, is disabled or gone is denied before anything else', async () => {
    const open = await newProject(db, 'public');
    const target = await facts(`${open.name}/app`, jane.id);
    for (const principalEpoch of [2, 0]) {
      const verdict = await gate.decide(jane, 'pull', { ...target, principalEpoch });
      expect(verdict).toMatchObject({ effect: 'deny', stale: true });
      expect(await gate.sees(jane, { ...target, principalEpoch })).toMatchObject({ effect: 'deny', stale: true });
      expect(await gate.mayMountFrom(jane, { ...target, principalEpoch })).toMatchObject({
        effect: 'deny',
        stale: true,
      });
    }
    expect((await gate.decide({ ...jane, epoch: 2 }, 'pull', target)).effect).toBe('allow');
    expect((await gate.decide(ANONYMOUS, 'pull', { ...target, principalEpoch: 0 })).effect).toBe('allow');
  });

  test('grants are read once for a pair of epochs, and anew when either moves', async () => {
    const project = await newProject(db);
    await newGrant(db, project.id, jane.id, { role: 'reader' });
    let reads = 0;
    const counted = createGate(
      { ...db, query: (statement) => (reads++, db.query(statement)) },
      { projectCreation: 'users' },
    );
    const target = await facts(`${project.name}/app`, jane.id);
    await Promise.all(Array.from({ length: 50 }, () => counted.decide(jane, 'pull', target)));
    for (let i = 0; i < 50; i++) await counted.decide(jane, 'push', target);
    expect(reads).toBe(1);
    await db.query(sql`delete from grants where project_id = ${project.id}`);
    expect((await counted.decide(jane, 'pull', target)).effect).toBe('allow');
    const bumped = { ...target, project: { ...target.project!, epoch: target.project!.epoch + 1 } };
    expect((await counted.decide(jane, 'pull', bumped)).effect).toBe('deny');
    expect(reads).toBe(2);
  });
});
