import { decodeJwt, decodeProtectedHeader } from 'jose';
import request from 'supertest';
import { beforeAll, describe, expect, test } from 'vitest';
import type { User } from '../../src/auth/accounts.ts';
import { createPersonalToken } from '../../src/auth/personal-tokens.ts';
import { basic, newGrant, newProject, newUser, PASSWORD, testAuth } from './harness.ts';

const auth = await testAuth();
const { db } = auth;
let user: User;
let mine: { id: number; name: string };
let theirs: { id: number; name: string };
let open: { id: number; name: string };

beforeAll(async () => {
  user = await newUser(db);
  mine = await newProject(db);
  theirs = await newProject(db);
  open = await newProject(db, 'public');
  await newGrant(db, mine.id, user.id, { role: 'writer' });
});

const get = (query: string) => request(auth.callback).get(`/auth/token?${query}`).set('Host', 'hub.example.com');
const access = (body: { token: string }) => decodeJwt<{ access: unknown[] }>(body.token).access;

describe('docker', () => {
  test('docker login asks without a scope and gets a token with empty access', async () => {
    const answer = await get(`account=${user.name}&client_id=docker&offline_token=true&service=hub.example.com`)
      .set('Authorization', basic(user.name, PASSWORD))
      .expect(200);
    expect(answer.body).toEqual({
      token: expect.any(String),
      access_token: answer.body.token,
      expires_in: 300,
      issued_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(decodeProtectedHeader(answer.body.token)).toEqual({
      alg: 'ES256',
      kid: expect.any(String),
      typ: 'registry+jwt',
    });
    expect(decodeJwt(answer.body.token)).toMatchObject({
      iss: 'https://hub.example.com',
      aud: 'hub.example.com',
      sub: user.name,
      access: [],
    });
    const principal = await auth.authenticator.authenticate(`Bearer ${answer.body.token}`);
    expect(principal).toMatchObject({ id: user.id, credential: 'registry_token' });
  });
});
