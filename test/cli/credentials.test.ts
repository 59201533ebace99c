import { chmod, readFile, stat } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { ciCli, makeCli } from './harness.ts';

const hub = await testHub();
const host = new URL(hub.origin).host;
const { username, password } = hub.adminCredentials;
const login = ['login', host, '--username', username, '--password-stdin'];

describe('berth login', () => {
  it('keeps a token in place of the password, for the owner of the file alone', async () => {
    const cli = await makeCli();
    expect(await cli.run(login, { input: `${password}\n` })).toMatchObject({
      code: 0,
      stdout: `signed in at ${hub.origin} as ${username}\n`,
    });
    const file = cli.at('config/berth/credentials.json');
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/berth_pat_/);
    expect(text).not.toContain(password);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await cli.run(['whoami', '-o', 'name'])).stdout).toBe(`${username}\n`);
    expect((await cli.run(['logout'])).code).toBe(0);
    expect((await cli.run(['whoami'])).code).toBe(2);
    expect(await readFile(file, 'utf8')).not.toContain('berth_pat_');
  });

  it('keeps nothing of wrong ones', async () => {
    const cli = await makeCli();
    const refused = await cli.run(login, { input: 'wrong password' });
    expect(refused).toMatchObject({ code: 4, stdout: '' });
    expect(refused.stderr).not.toContain('wrong password');
    await expect(stat(cli.at('config/berth/credentials.json'))).rejects.toThrow('ENOENT');
  });

  it('asks nobody where nobody sits', async () => {
    const cli = await makeCli();
    expect((await cli.run(['login', host])).code).toBe(2);
    expect((await cli.run(['--no-input', 'login', host, '-u', username])).stderr).toContain('--password-stdin');
  });

  it('lets a credential helper of docker keep the secret', async () => {
    const cli = await makeCli();
    const helper = `#!/bin/sh\ncd "${cli.home}"\ncase $1 in store) cat > stored ;; get) cat > asked; cat stored ;; erase) rm stored ;; esac\n`;
    await cli.write({ 'docker-credential-test': helper });
    await chmod(cli.at('docker-credential-test'), 0o755);
    expect((await cli.run([...login, '--helper', 'test'], { input: password })).code).toBe(0);
    expect(await readFile(cli.at('config/berth/credentials.json'), 'utf8')).not.toContain('berth_pat_');
    expect(JSON.parse(await readFile(cli.at('stored'), 'utf8'))).toMatchObject({ ServerURL: hub.origin });
    expect((await cli.run(['whoami'])).code).toBe(0);
    expect(await readFile(cli.at('asked'), 'utf8')).toBe(hub.origin);
    expect((await cli.run(['logout'])).code).toBe(0);
    await expect(stat(cli.at('stored'))).rejects.toThrow('ENOENT');
  });
});

describe('berth tokens', () => {
  it('are made and revoked with the password, and listed without', async () => {
    const cli = await makeCli();
    await cli.run(login, { input: password });
    const made = await cli.run(['tokens', 'create', 'ci', '--actions', 'pull', '--days', '2', '--password-stdin'], {
      input: password,
    });
    expect(made).toMatchObject({ code: 0 });
    const env = { BERTH_TOKEN: made.stdout.trim(), BERTH_HUB: hub.origin };
    expect((await cli.run(['whoami'], { env })).stdout).toContain('may pull, until');
    const listed = await cli.run(['tokens', '-o', 'json']);
    const mine = (JSON.parse(listed.stdout) as { id: string; name: string }[]).find(({ name }) => name === 'ci');
    expect(
      (await cli.run(['tokens', 'rm', mine?.id ?? '', '--yes', '--password-stdin'], { input: password })).code,
    ).toBe(0);
    expect((await cli.run(['whoami'], { env })).code).toBe(4);
  });
});

describe('docker-credential-berth', () => {
  it('gives docker what berth login kept, and keeps what docker login gives', async () => {
    const cli = await makeCli();
    const call = (verb: string, input = '', env = {}) =>
      cli.run([verb], { program: 'docker-credential-berth', input, env });
    expect(await call('get', host)).toMatchObject({ code: 1, stdout: 'credentials not found in native keychain\n' });
    await cli.run(login, { input: password });
    const kept = JSON.parse((await call('get', `${host}\n`)).stdout) as Record<string, string>;
    expect(kept).toMatchObject({ ServerURL: host, Username: username, Secret: expect.stringMatching(/^berth_pat_/) });

    const other = { ServerURL: 'hub.example:5000', Username: 'jane', Secret: 's3cret' };
    expect(await call('store', JSON.stringify(other))).toMatchObject({ code: 0, stdout: '' });
    expect(JSON.parse((await call('get', 'https://hub.example:5000/v2/')).stdout)).toMatchObject({ Secret: 's3cret' });
    expect(JSON.parse((await call('list')).stdout)).toEqual({
      [hub.origin]: username,
      'https://hub.example:5000': 'jane',
    });
    expect((await stat(cli.at('config/berth/credentials.json'))).mode & 0o777).toBe(0o600);
    expect((await call('erase', 'hub.example:5000')).code).toBe(0);
    expect((await call('get', 'hub.example:5000')).code).toBe(1);
    expect((await cli.run(['whoami'])).code).toBe(0);
  });

  it('gives the token of a CI job for its hub, and for no other', async () => {
    const cli = await ciCli(hub);
    const get = (input: string) => cli.run(['get'], { program: 'docker-credential-berth', input });
    expect(JSON.parse((await get(host)).stdout)).toMatchObject({
      Username: username,
      Secret: expect.stringMatching(/^berth_pat_/),
    });
    expect((await get('hub.example')).code).toBe(1);
    expect((await cli.run(['format'], { program: 'docker-credential-berth' })).code).toBe(1);
  });
});
