import { describe, expect, test } from 'vitest';
import { newUser } from '../auth/harness.ts';
import { testApi } from './harness.ts';

const { db, call, project, token, admin, jane, joe } = await testApi();
const explain = (name: string, query: Record<string, string>, as = jane) =>
  call('GET', `/projects/${name}/explain?${new URLSearchParams(query).toString()}`, as);
const mine = (query: Record<string, string>, as?: typeof jane | string) =>
  call('GET', `/me/explain?${new URLSearchParams(query).toString()}`, as);

describe('an owner', () => {
  test('is told what someone may do, and by which rule', async () => {
    const name = await project(jane);
    const give = (body: object) => call('PUT', `/projects/${name}/grants`, jane, body).expect(200);
    const reader = (await give({ subject: joe.name, role: 'reader' })).body.id;
    const dev = (await give({ subject: joe.name, role: 'writer', tag_glob: 'dev-*', create_only: true })).body.id;
    const ask = (query: Record<string, string>) => explain(name, { subject: joe.name, ...query }).expect(200);
    const rules = {
      reader: `grant ${reader}: user:${joe.name} is reader of **`,
      dev: `grant ${dev}: user:${joe.name} is writer of ** tags dev-* (create only)`,
    };
    expect((await ask({ action: 'push', path: 'app', tag: 'dev-1' })).body).toEqual({
      effect: 'allow',
      reason: rules.dev,
      action: 'push',
      path: `${name}/app`,
      tag: 'dev-1',
      rules: [
        { grant: reader, rule: rules.reader, obstacle: 'the role is not enough' },
        { grant: dev, rule: rules.dev },
      ],
    });
    const denied = async (query: Record<string, string>) => {
      const { body } = await ask(query);
      expect(body.effect).toBe('deny');
      return body.rules[1].obstacle as string;
    };
    expect(await denied({ action: 'push', path: 'app', tag: 'v1' })).toBe('it is for other tags');
    expect(await denied({ action: 'push', path: 'app', tag: 'dev-1', change: 'overwrite' })).toBe(
      'it is for creating only',
    );
    expect(await denied({ action: 'delete', path: 'app', tag: 'dev-1' })).toBe('the role is not enough');
    expect((await ask({ action: 'pull' })).body).toMatchObject({ effect: 'allow', path: name, reason: rules.reader });
  });

  test('is told about teams, everyone, administrators and the disabled, too', async () => {
    const name = await project(jane, { visibility: 'public' });
    const gone = await newUser(db);
    await call('PATCH', `/users/${gone.name}`, admin, { disabled: true }).expect(200);
    const about = async (query: Record<string, string>) => {
      const { effect, reason } = (await explain(name, query).expect(200)).body;
      return `${effect}: ${reason}`;
    };
    expect(await about({ subject: 'everyone', action: 'pull' })).toBe('allow: public project');
    expect(await about({ subject: 'everyone', action: 'push' })).toBe('deny: anonymous may only pull');
    expect(await about({ subject: admin.name, action: 'delete' })).toBe('allow: administrator');
    expect(await about({ subject: gone.name, action: 'pull' })).toBe('deny: disabled, expired or gone');
    await explain(name, { subject: joe.name, subject_type: 'team', action: 'pull' }).expect(400);
  });

  test('alone is: others get 403, and 404 where they see nothing', async () => {
    const [open, closed] = [await project(jane, { visibility: 'public' }), await project(jane)];
    await explain(open, { subject: joe.name, action: 'pull' }, joe).expect(403);
    await explain(closed, { subject: joe.name, action: 'pull' }, joe).expect(404);
  });

  test.each([{ action: 'pull' }, { subject: 'x', action: 'fly' }, { subject: 'x', action: 'pull', path: '../x' }])(
    'does not ask %j',
    async (query) => {
      const name = await project(jane);
      await explain(name, query as never).expect(400);
    },
  );
});

describe('oneself', () => {
  test('is told with the limits of the credential', async () => {
    const name = await project(jane);
    const path = `${name}/app`;
    expect((await mine({ action: 'delete', path }, jane).expect(200)).body.effect).toBe('allow');
    const narrow = await token(jane, { actions: ['pull'] });
    expect((await mine({ action: 'delete', path }, narrow).expect(200)).body).toMatchObject({
      effect: 'deny',
      reason: 'beyond the limits of the token',
    });
  });

  test('learns nothing about what does not show', async () => {
    const hidden = await project(jane);
    const [one, two] = await Promise.all(
      [hidden, 'missing-project'].map((name) => mine({ action: 'pull', path: `${name}/x` }, joe).expect(404)),
    );
    expect(one!.text).toBe(two!.text);
    await mine({ action: 'pull', path: `${hidden}/x` }).expect(401);
  });
});
