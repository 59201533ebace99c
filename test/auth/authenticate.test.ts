import sql from 'sql-template-tag';
import { beforeAll, describe, expect, test } from 'vitest';
import { changeUser, type User } from '../../src/auth/accounts.ts';
import { createAttempts } from '../../src/auth/attempts.ts';
import { InvalidCredentials, TooManyAttempts } from '../../src/auth/errors.ts';
import { identify } from '../../src/auth/identify.ts';
import { createPersonalToken, listPersonalTokens, revokePersonalToken } from '../../src/auth/personal-tokens.ts';
import { ANONYMOUS } from '../../src/auth/principal.ts';
import * as format from '../../src/auth/token-format.ts';
import { basic, bearer, createAuth, HUB, newUser, ORIGIN, PASSWORD, testAuth } from './harness.ts';

const { db, authenticator, tokens, facts, another } = await testAuth();
let user: User;
let pat: string;
beforeAll(async () => {
  user = await newUser(db);
  pat = await newToken(user);
});

async function newToken(owner: User, paths?: string[]): Promise<string> {
  const request = { name: 'ci', actions: ['pull', 'push'] as const, ...(paths && { paths }) };
  return (await createPersonalToken(db, request, { id: owner.id })).token;
}

const whoIs = (header: string | undefined) => authenticator.authenticate(header, '192.0.2.1');

/** A database that counts what it is asked. */
function counting() {
  const counter = { queries: 0 };
  const counted = {
    ...db,
    query: (statement: never) => (counter.queries++, db.query(statement)),
    first: (statement: never) => (counter.queries++, db.first(statement)),
  };
  return { counter, auth: createAuth(counted as typeof db) };
}

describe('every transport', () => {
  test('nothing is anonymous', async () => {
    expect(await whoIs(undefined)).toBe(ANONYMOUS);
    expect(await whoIs('')).toBe(ANONYMOUS);
  });

  test('user and password', async () => {
    const { id, name } = user;
    const jane = { kind: 'user', id, name, admin: false, epoch: 1, credential: 'password' };
    expect(await whoIs(basic(name, PASSWORD))).toEqual(jane);
    expect(await whoIs(basic(name.toUpperCase(), PASSWORD))).toEqual(jane);
  });

  test('a personal token, with or without the name of its owner', async () => {
    const token = await newToken(user, ['acme/**']);
    const expected = {
      kind: 'user',
      id: user.id,
      name: user.name,
      admin: false,
      epoch: 1,
      credential: 'token',
      credentialId: expect.any(Number),
      limits: { actions: ['pull', 'push'], paths: ['acme/**'] },
      expiresAt: expect.any(Number),
    };
    for (const header of [basic(user.name, token), basic('', token), basic('<token>', token), bearer(token)]) {
      const principal = await whoIs(header);
      expect(principal).toEqual(expected);
      const days = (principal.expiresAt! - Date.now()) / 86_400_000;
      expect(days).toBeGreaterThan(89.9);
      expect(days).toBeLessThanOrEqual(90.01);
    }
  });

  test('a registry token', async () => {
    const { token } = await tokens.issue(await whoIs(basic(user.name, PASSWORD)), [], ORIGIN);
    expect(await whoIs(bearer(token))).toMatchObject({ id: user.id, credential: 'registry_token' });
  });
});

describe('wrong credentials', () => {
  test('are never anonymous, and never say what was wrong', async () => {
    const disabled = await newUser(db);
    const disabledToken = await newToken(disabled);
    await changeUser(db, disabled.name, { disabled: true }, HUB);
    const other = await newUser(db);
    const expired = await newToken(other);
    await db.query(sql`update tokens set expires_at = now() where principal_id = ${other.id}`);
    const { token: jwt } = await tokens.issue(await whoIs(basic(user.name, PASSWORD)), [], ORIGIN);
    const headers = {
      'a wrong password': basic(user.name, 'wrong password'),
      'an empty password': basic(user.name, ''),
      'an unknown user': basic('nobody-at-all', PASSWORD),
      everyone: basic('everyone', PASSWORD),
      'an odd name': basic("x' or '1'='1", PASSWORD),
      'a disabled user': basic(disabled.name, PASSWORD),
      'the token of a disabled user': bearer(disabledToken),
      'an expired token': bearer(expired),
      'a token that does not exist': bearer(format.newToken('user')),
      "a robot's token that does not exist": bearer(format.newToken('robot')),
      'a mistyped token': bearer(`${pat.slice(0, -1)}${pat.endsWith('0') ? '1' : '0'}`),
      'a token under another name': basic(other.name, pat),
      'a registry token as password': basic(user.name, jwt),
      'a password as Bearer': bearer('correct'),
      'an unknown scheme': `Digest ${pat}`,
      rubbish: 'rubbish',
      'Basic without a colon': `Basic ${Buffer.from('jane').toString('base64')}`,
    };
    const messages = new Set<string>();
    for (const [what, header] of Object.entries(headers)) {
      const error: unknown = await whoIs(header).catch((reason: unknown) => reason);
      expect(error, what).toBeInstanceOf(InvalidCredentials);
      messages.add((error as Error).message);
    }
    expect(messages.size).toBe(1);
  });

  test('do not leave secrets in errors', async () => {
    const header = basic(user.name, 'my-secret-password');
    const error: unknown = await whoIs(header).catch((reason: unknown) => reason);
    const { inspect } = await import('node:util');
    expect(inspect(error, { depth: 10 })).not.toContain('my-secret-password');
    expect(inspect(error, { depth: 10 })).not.toContain(header.slice(6));
  });

  test('are slowed down for the account and address, but not for others', async () => {
    const auth = createAuth(db, { attempts: createAttempts() });
    const victim = await newUser(db);
    const from = (address: string, password: string) =>
      auth.authenticator.authenticate(basic(victim.name, password), address);
    for (let i = 0; i < 5; i++)
      await expect(from('192.0.2.66', `guess ${i}`)).rejects.toBeInstanceOf(InvalidCredentials);
    await expect(from('192.0.2.66', 'guess 6')).rejects.toBeInstanceOf(TooManyAttempts);
    expect((await from('192.0.2.1', PASSWORD)).name).toBe(victim.name);
    expect((await from('192.0.2.66', PASSWORD).catch((reason: Error) => reason.name)) as string).not.toBe(
      'InvalidCredentials',
    );
  });
});

test('what a directory takes for one name is one account to whoever guesses', async () => {
  const auth = createAuth(db, { attempts: createAttempts() });
  const guess = (name: string) => auth.authenticator.authenticate(basic(name, 'guess'), '192.0.2.67');
  for (const name of ['jane doe', 'JANE DOE', ' jane  doe ', 'ｊane\u3000doe', 'j\u00adane\u200b doe']) {
    await expect(guess(name)).rejects.toBeInstanceOf(InvalidCredentials);
  }
  await expect(guess('jáne doe')).rejects.toBeInstanceOf(TooManyAttempts);
  await expect(guess('jane.doe')).rejects.toBeInstanceOf(InvalidCredentials);
});

describe('memory', () => {
  test('one hash for many requests, also for those that come at once', async () => {
    const { counter, auth } = counting();
    const header = basic(user.name, PASSWORD);
    await Promise.all(Array.from({ length: 30 }, () => auth.authenticator.authenticate(header)));
    // The account, and whether it was guessed at.
    expect(counter.queries).toBe(2);
    const start = process.cpuUsage();
    for (let i = 0; i < 1_000; i++) await auth.authenticator.authenticate(header);
    expect(process.cpuUsage(start).user, 'microseconds for 1,000').toBeLessThan(500_000);
    expect(counter.queries).toBe(2);
  });

  test('does not outlive the credential', async () => {
    let clock = Date.now();
    const auth = createAuth(db, { now: () => clock });
    const owner = await newUser(db);
    const token = await newToken(owner);
    await auth.authenticator.authenticate(bearer(token));
    clock += 91 * 86_400_000;
    await db.query(sql`update tokens set expires_at = now() where principal_id = ${owner.id}`);
    await expect(auth.authenticator.authenticate(bearer(token))).rejects.toBeInstanceOf(InvalidCredentials);
    await auth.authenticator.settled();
  });

  test('is refreshed when the owner changed meanwhile, so that what is still right goes on working', async () => {
    const owner = await newUser(db);
    const [keep, drop] = [await newToken(owner), await newToken(owner)];
    const headers = { password: basic(owner.name, PASSWORD), keep: bearer(keep), drop: basic('', drop) };
    const ask = (authorization: string) =>
      identify(authenticator, { authorization, address: undefined }, (id) => facts('', id));
    for (const header of Object.values(headers)) await ask(header);

    const [dropped] = await listPersonalTokens(db, owner.id, { limit: 1 });
    await revokePersonalToken(db, dropped!.id, { id: owner.id });
    for (const header of [headers.password, headers.keep]) {
      const { principal, facts: target } = await ask(header);
      expect(principal.epoch).toBe(2);
      expect(target.principalEpoch).toBe(2);
    }
    await expect(ask(headers.drop)).rejects.toBeInstanceOf(InvalidCredentials);

    await changeUser(db, owner.name, { password: 'a new password' }, HUB);
    await expect(ask(headers.password)).rejects.toBeInstanceOf(InvalidCredentials);
    expect((await ask(basic(owner.name, 'a new password'))).principal.epoch).toBe(3);
    expect((await ask(headers.keep)).principal.epoch).toBe(3);
  });
});

describe('tokens', () => {
  test('know when they were last used, written at most once a minute and without making anyone wait', async () => {
    const auth = createAuth(another(2));
    const owner = await newUser(db);
    const token = await newToken(owner);
    const last = async () => (await listPersonalTokens(db, owner.id, { limit: 1 }))[0]!.lastUsedAt;
    expect(await last()).toBeUndefined();
    await auth.authenticator.authenticate(bearer(token));
    await auth.authenticator.settled();
    const first = await last();
    expect(first).toBeInstanceOf(Date);
    const replica = createAuth(db);
    for (const each of [auth, replica]) {
      for (let i = 0; i < 10; i++) await each.authenticator.authenticate(bearer(token));
      await each.authenticator.settled();
    }
    expect(await last()).toEqual(first);
    await db.query(sql`update tokens set last_used_at = now() - interval '2 minutes' where principal_id = ${owner.id}`);
    const later = createAuth(db);
    await later.authenticator.authenticate(bearer(token));
    await later.authenticator.settled();
    expect((await last())!.getTime()).toBeGreaterThanOrEqual(first!.getTime());
  });

  test('are stored as hashes only, and shown once', async () => {
    const owner = await newUser(db);
    const token = await newToken(owner);
    const rows = await db.query(sql`select t::text as row from tokens t where principal_id = ${owner.id}`);
    expect(JSON.stringify(rows)).not.toContain(token.slice(10, 40));
    expect(JSON.stringify(await listPersonalTokens(db, owner.id, { limit: 10 }))).not.toContain(token.slice(10, 40));
    const events = await db.query(sql`select data from events where actor_id = ${owner.id}`);
    expect(events).toHaveLength(1);
    expect(JSON.stringify(events)).not.toContain(token.slice(10, 40));
  });

  test.each([0, -1, 366, 1.5, Number.NaN])('do not live for %s days', async (expiresInDays) => {
    const request = { name: 'x', actions: ['pull'] as const, expiresInDays };
    await expect(createPersonalToken(db, request, { id: user.id })).rejects.toMatchObject({
      problem: 'expiry-out-of-range',
    });
  });

  test('are revoked by their owner alone', async () => {
    const owner = await newUser(db);
    await newToken(owner);
    const [row] = await listPersonalTokens(db, owner.id, { limit: 1 });
    await expect(revokePersonalToken(db, row!.id, { id: user.id })).rejects.toMatchObject({ problem: 'not-found' });
    await revokePersonalToken(db, row!.id, { id: owner.id });
    await expect(revokePersonalToken(db, row!.id, { id: owner.id })).rejects.toMatchObject({ problem: 'not-found' });
    expect(await listPersonalTokens(db, owner.id, { limit: 10 })).toEqual([]);
  });
});
