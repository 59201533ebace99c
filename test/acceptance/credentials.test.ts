import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Client, lacks, rootRights } from './clients/client.ts';
import { startDocker } from './clients/docker.ts';
import { makeHelm } from './clients/helm.ts';
import { makeOras } from './clients/oras.ts';
import { makeSkopeo } from './clients/skopeo.ts';
import { run } from './command.ts';
import { makeIssuer } from './issuers.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

/** Whoever a credential belongs to, clients take it as they take a password. */
describe('a login', () => {
  const hub = inject('hub');
  const project = `cred-${randomBytes(4).toString('hex')}`;
  const person = { name: `${project}-jane`, password: `pw-${randomBytes(12).toString('hex')}` };
  const logins: Record<'password' | 'personal token' | 'robot' | 'CI token', { user: string; password: string }> = {
    password: { user: person.name, password: person.password },
    'personal token': { user: person.name, password: '' },
    robot: { user: `robot-${project}-ci`, password: '' },
    'CI token': { user: `${project}/builds`, password: '' },
  };
  let workspace: Workspace;

  async function api(method: string, path: string, body: unknown, as = { name: hub.user, password: hub.password }) {
    const answer = await fetch(`${hub.url}/api/v1${path}`, {
      method,
      headers: {
        Authorization: `Basic ${Buffer.from(`${as.name}:${as.password}`).toString('base64')}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify(body),
    });
    expect(answer.ok, `${method} ${path}: ${answer.status}`).toBe(true);
    return (await answer.json()) as { token: string };
  }

  beforeAll(async () => {
    workspace = await makeWorkspace('credentials');
    await api('POST', '/users', person);
    await api('POST', '/projects', { name: project }, person);
    logins['personal token'].password = (await api('POST', '/me/tokens', { name: 'laptop' }, person)).token;
    await api('POST', `/projects/${project}/robots`, { name: 'ci' }, person);
    const grant = { subject: logins.robot.user, subject_type: 'robot', role: 'writer', path_glob: 'app/**' };
    await api('PUT', `/projects/${project}/grants`, grant, person);
    logins.robot.password = (await api('POST', `/projects/${project}/robots/ci/tokens`, { name: 'x' }, person)).token;
    const issuer = await makeIssuer(`https://${project}.example.com`);
    await api('POST', '/issuers', { name: project, url: issuer.url, kind: 'generic', jwks: issuer.jwks });
    const rule = { name: 'builds', issuer: project, audience: 'hub', claims: { repository: `${project}/app` } };
    await api('POST', `/projects/${project}/trust-rules`, rule, person);
    const { user: subject } = logins['CI token'];
    await api('PUT', `/projects/${project}/grants`, { ...grant, subject, subject_type: 'trust_rule' }, person);
    logins['CI token'].password = await issuer.sign('hub', { sub: 'a build', repository: `${project}/app` });
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  async function works(client: Client): Promise<void> {
    for (const [kind, { user, password }] of Object.entries(logins)) {
      expect(password, kind).not.toBe('');
      await client.login({ ...hub, user, password });
      // Not the last character, whose last bits mean nothing in a signature.
      const wrong = password.slice(0, -9) + (password.at(-9) === '0' ? '1' : '0') + password.slice(-8);
      await expect(client.login({ ...hub, user, password: wrong }), kind).rejects.toThrow(
        /401|unauthorized|invalid username/i,
      );
    }
    await expect(client.login({ ...hub, user: person.name, password: logins.robot.password })).rejects.toThrow();
  }

  test.skipIf(lacks('skopeo'))('of skopeo works with each', async () => works(await makeSkopeo(workspace)));

  test.skipIf(lacks('helm-3'))('of helm works with each', async () => works(await makeHelm(workspace, 'helm-3')));

  test.skipIf(lacks(rootRights, 'docker', 'dockerd'))('of docker works with each', async () => {
    await using docker = await startDocker(workspace);
    await works(docker);
  });

  test.skipIf(lacks('curl'))('of curl works with each, and each puts files where it may', async () => {
    const curl = async ({ user, password }: { user: string; password: string }, ...args: string[]) => {
      const flags = ['--silent', '--show-error', '--fail-with-body', '--config', '-'];
      return (await run('curl', [...flags, ...args], { input: `user = "${user}:${password}"\n` })).stdout;
    };
    await works({
      run: (...args) => curl(hub, ...args),
      login: (as) => curl(as, `${hub.url}/v2/`),
    });
    const file = join(await workspace.folder('curl'), 'a.txt');
    await writeFile(file, 'by curl');
    for (const [kind, login] of Object.entries(logins)) {
      const at = (path: string) => `${hub.url}/files/${project}/${path}:1/${kind.replace(' ', '-')}.txt`;
      expect(await curl(login, '--upload-file', file, at('app/files'))).toContain('sha256:');
      const elsewhere = curl(login, '--upload-file', file, at('else-by-curl'));
      if (login.user === person.name) await elsewhere;
      else await expect(elsewhere, kind).rejects.toThrow(/40[34]/);
    }
  });

  test.skipIf(lacks('oras'))('of oras works with each, and machines push where they may', async () => {
    const oras = await makeOras(workspace);
    await works(oras);
    const folder = await workspace.folder('files');
    await writeFile(join(folder, 'a.txt'), 'by a robot');
    for (const kind of ['robot', 'CI token'] as const) {
      await oras.login({ ...hub, ...logins[kind] });
      const digest = await oras.push(`${hub.host}/${project}/app/web:1`, folder, ['a.txt']);
      expect(digest, kind).toMatch(/^sha256:/);
      await expect(oras.push(`${hub.host}/${project}/else:1`, folder, ['a.txt'])).rejects.toThrow(/40[134]|denied/i);
    }
    await oras.login({ ...hub, ...logins['personal token'] });
    await oras.push(`${hub.host}/${project}/else:1`, folder, ['a.txt']);
  });
});
