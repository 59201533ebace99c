/**
 * Rights are taken and given at random while two replicas, each with its own memory, are asked all the time. What they say
 * has to be what a model without any memory says, at once, on both.
 */
import * as fc from 'fast-check';
import sql from 'sql-template-tag';
import { expect, test } from 'vitest';
import type { Attempts } from '../../src/auth/attempts.ts';
import { changeUser } from '../../src/auth/accounts.ts';
import { putGrant, removeGrant } from '../../src/auth/grants.ts';
import { identify } from '../../src/auth/identify.ts';
import { createPersonalToken, revokePersonalToken } from '../../src/auth/personal-tokens.ts';
import type { Action } from '../../src/auth/principal.ts';
import { roleAllows, type Role } from '../../src/auth/roles.ts';
import { basic, bearer, createAuth, HUB, newProject, newUser, PASSWORD, testAuth, type Auth } from './harness.ts';

// Old passwords are tried on purpose, all the time.
const attempts: Attempts = { guard: (_account, _address, check) => check() };
const first = await testAuth({ attempts });
const { db } = first;
const replicas: Auth[] = [first, createAuth(first.another(4), { attempts })];

const record = <T extends string, V>(what: T, values: fc.Arbitrary<V>) =>
  fc.record({ do: fc.constant(what), to: values });
const step = fc.oneof(
  { weight: 3, arbitrary: record('grant', fc.constantFrom<Role>('reader', 'writer', 'maintainer', 'owner')) },
  { weight: 3, arbitrary: record('ungrant', fc.constant(0)) },
  { weight: 2, arbitrary: record('visibility', fc.constantFrom('public' as const, 'private' as const)) },
  { weight: 1, arbitrary: record('disable', fc.boolean()) },
  { weight: 1, arbitrary: record('admin', fc.boolean()) },
  { weight: 1, arbitrary: record('password', fc.nat(2)) },
  { weight: 1, arbitrary: record('revoke', fc.constant(0)) },
  { weight: 1, arbitrary: record('mint', fc.constant(0)) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function play(steps: readonly Step[]): Promise<void> {
  await newUser(db, { admin: true });
  const user = await newUser(db);
  const project = await newProject(db);
  const path = `${project.name}/app`;
  const model = {
    role: undefined as Role | undefined,
    public: false,
    disabled: false,
    admin: false,
    password: PASSWORD,
  };
  const passwords = [PASSWORD];
  const tokens: { id: number; token: string; live: boolean }[] = [];
  /** Registry tokens, with what each was granted and whether its subject changed since. */
  let registryTokens: { token: string; granted: readonly string[]; live: boolean }[] = [];
  let grantId: number | undefined;

  const apply = async (each: Step): Promise<void> => {
    const changed = (was: boolean) => was && registryTokens.forEach((token) => (token.live = false));
    switch (each.do) {
      case 'grant':
        grantId = (await putGrant(db, project.id, { subject: user.name, role: each.to }, HUB)).id;
        model.role = each.to;
        break;
      case 'ungrant':
        if (grantId !== undefined) await removeGrant(db, project.id, grantId, HUB);
        grantId = model.role = undefined;
        break;
      case 'visibility':
        await db.query(sql`update projects set visibility = ${each.to}, epoch = epoch + 1 where id = ${project.id}`);
        model.public = each.to === 'public';
        break;
      case 'disable':
        await changeUser(db, user.name, { disabled: each.to }, HUB);
        changed(model.disabled !== each.to);
        model.disabled = each.to;
        break;
      case 'admin':
        await changeUser(db, user.name, { admin: each.to }, HUB);
        changed(model.admin !== each.to);
        model.admin = each.to;
        break;
      case 'password':
        model.password = `password number ${each.to}`;
        passwords.push(model.password);
        await changeUser(db, user.name, { password: model.password }, HUB);
        changed(true);
        break;
      case 'revoke': {
        const token = tokens.find(({ live }) => live);
        if (token === undefined) break;
        await revokePersonalToken(db, token.id, { id: user.id });
        token.live = false;
        changed(true);
        break;
      }
      case 'mint': {
        const made = await createPersonalToken(db, { name: 'ci', actions: ['pull', 'push'] }, { id: user.id });
        tokens.push({ id: made.row.id, token: made.token, live: true });
        break;
      }
    }
  };

  const may = (action: Action) =>
    model.admin || (model.public && action === 'pull') || (model.role !== undefined && roleAllows(model.role, action));

  const ask = async (replica: Auth, authorization: string, action: Action): Promise<boolean> => {
    const who = await identify(replica.authenticator, { authorization, address: undefined }, (id) =>
      replica.facts(path, id),
    ).catch(() => undefined);
    return who !== undefined && (await replica.gate.decide(who.principal, action, who.facts)).effect === 'allow';
  };

  for (const each of steps) {
    await apply(each);
    for (const replica of replicas) {
      for (const action of ['pull', 'push', 'delete'] as const) {
        const told = JSON.stringify({ after: each, action, model });
        const right = !model.disabled && may(action);
        expect(await ask(replica, basic(user.name, model.password), action), told).toBe(right);
        // Each wrong one costs a hash.
        const old = passwords.findLast((password) => password !== model.password);
        if (old !== undefined && action === 'pull') {
          expect(await ask(replica, basic(user.name, old), action), told).toBe(false);
        }
        for (const { token, live } of tokens) {
          const expected = !model.disabled && live && action !== 'delete' && may(action);
          expect(await ask(replica, bearer(token), action), told).toBe(expected);
        }
        for (const { token, granted, live } of registryTokens) {
          const expected = live && granted.includes(action) && may(action);
          expect(await ask(replica, bearer(token), action), told).toBe(expected);
        }
      }
    }
    if (!model.disabled) {
      const [replica] = replicas as [Auth];
      const principal = await replica.authenticator.authenticate(basic(user.name, model.password));
      const granted = (['pull', 'push', 'delete'] as const).filter(may);
      const { token } = await replica.tokens.issue(
        principal,
        [{ type: 'repository', name: path, actions: granted }],
        'https://hub.example.com',
      );
      registryTokens = [
        ...registryTokens.slice(-2),
        { token, granted, live: principal.epoch === (await epoch(user.id)) },
      ];
    }
  }
}

async function epoch(id: number): Promise<number> {
  return (await db.first<{ epoch: number }>(sql`select epoch from principals where id = ${id}`))!.epoch;
}

test('whatever is taken is gone at the next request, on every replica and over every transport', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 8 }), play), { numRuns: 10 });
}, 120_000);
