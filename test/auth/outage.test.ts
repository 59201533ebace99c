import request from 'supertest';
import { afterAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { basic, bearer, createAuth, newUser, ORIGIN, PASSWORD, testAuth } from './harness.ts';

const here = await testAuth();
const gone = openDatabase({
  connectionString: 'postgres://berth@%2Fnowhere-at-all/berth',
  maxConnections: 2,
  applicationName: 'test',
  onIdleError: () => {},
});
const cut = createAuth(gone);
afterAll(() => gone[Symbol.asyncDispose]());

test('without Postgres nobody is refused or let in: the answer is 503, and a moment to wait', async () => {
  const user = await newUser(here.db);
  const principal = await here.authenticator.authenticate(basic(user.name, PASSWORD));
  const { token } = await here.tokens.issue(principal, [], ORIGIN);
  for (const header of [basic(user.name, PASSWORD), bearer(token), undefined]) {
    const call = request(cut.callback).get('/auth/token?scope=repository:acme/web:pull');
    if (header !== undefined) call.set('Authorization', header);
    const answer = await call.expect(503);
    expect(answer.headers['retry-after']).toBe('5');
    expect(answer.body.errors[0]).toEqual({
      code: 'UNAVAILABLE',
      message: 'The hub cannot reach its database right now; try again.',
      request_id: 'request-id-of-test',
    });
  }
  expect(cut.reported).toHaveLength(3);
});

test('an outage does not count as guessing', async () => {
  for (let i = 0; i < 20; i++) {
    await request(cut.callback).get('/auth/token').set('Authorization', basic('jane', PASSWORD)).expect(503);
  }
});
