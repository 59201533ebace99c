import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Chart, writeChart } from './charts.ts';
import { lacks, rootRights } from './clients/client.ts';
import { startDocker } from './clients/docker.ts';
import { type Output, run, searchPath, whereIs } from './command.ts';
import { type Issuer, makeIssuer, startClusterApi, startDiscoverableIssuer, startGithubTokens } from './issuers.ts';
import { githubJobs, gitlabJob, jenkinsJob, type Job, kubernetesJob, readRecipes } from './recipes.ts';
import { read } from './registry.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

const CLIENTS = ['docker', 'dockerd', rootRights, 'helm-3', 'oras', 'curl', 'git', 'jq', 'kubectl'];

/** docs/ci.md and docs/releases.md, run as they stand there: what is changed is the hub, the project, and who signs. */
describe.skipIf(lacks(...CLIENTS))('the recipes for', async () => {
  const hub = inject('hub');
  const project = `recipes-${randomBytes(4).toString('hex')}`;
  const owner = { name: `${project}-jane`, password: `pw-${randomBytes(12).toString('hex')}` };
  const recipe = await readRecipes('docs/ci.md');
  const release = await readRecipes('docs/releases.md');
  const commit = randomBytes(20).toString('hex');
  let workspace: Workspace;
  let docker: Awaited<ReturnType<typeof startDocker>>;
  let source: string;
  let tools: string;
  let homes = 0;

  const here = (text: string) => text.replaceAll('hub.example.com', hub.host).replaceAll('acme', project);

  beforeAll(async () => {
    workspace = await makeWorkspace('recipes');
    docker = await startDocker(workspace);
    source = await workspace.folder('source');
    tools = await workspace.folder('tools');
    await symlink(whereIs('helm-3')!, join(tools, 'helm'));
    // The project's own build.
    await writeFile(join(tools, 'make'), '#!/bin/sh\nmkdir -p dist && echo "a program" > dist/shop\n');
    await chmod(join(tools, 'make'), 0o755);
    await run(join(tools, 'make'), [], { cwd: source });
    await writeFile(join(source, 'Dockerfile'), 'FROM scratch\nCOPY dist/shop /shop\n');
    await writeFile(join(source, 'CHANGES.md'), 'Nothing was changed.\n');
    const chart: Chart = { name: 'shop', version: '0.0.0' };
    await rename(await writeChart(source, chart), join(source, 'chart'));
    await mkdir(join(source, 'charts'));
    await rename(await writeChart(source, chart), join(source, 'charts/shop'));
    for (const script of ['publish.sh', 'release.sh']) {
      await writeFile(join(source, script), here(release(`release ${script}`)));
    }
    const author = ['-c', 'user.name=Jane', '-c', 'user.email=jane@example.com'];
    await run('git', ['init', '--quiet'], { cwd: source });
    await run('git', [...author, 'commit', '--quiet', '--allow-empty', '-m', 'A release'], { cwd: source });
    await api('POST', '/users', owner);
    await api('POST', '/projects', { name: project }, owner);
  });
  afterAll(async () => {
    for (const rule of ['github', 'gitlab', 'cluster']) {
      await ask('DELETE', `/projects/${project}/trust-rules/${rule}`, undefined, owner);
      await ask('DELETE', `/issuers/${rule}`);
    }
    await docker?.[Symbol.asyncDispose]();
    await workspace?.[Symbol.asyncDispose]();
  });

  const admin = { name: hub.user, password: hub.password };
  const basic = ({ name, password }: typeof admin) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

  function ask(method: string, path: string, body?: unknown, as = admin): Promise<Response> {
    return fetch(`${hub.url}/api/v1${path}`, {
      method,
      headers: { Authorization: basic(as), 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  async function api(method: string, path: string, body: unknown, as = admin): Promise<void> {
    const answer = await ask(method, path, body, as);
    expect(answer.ok, `${method} ${path}: ${answer.status}`).toBe(true);
  }

  /** A shell with a home of its own, so that no job finds what another one left. */
  async function shell(
    script: string,
    env: Job['env'] = {},
    command: Job['shell'] = ['sh', '-e', '-c'],
  ): Promise<Output> {
    const home = await workspace.folder(`home-${++homes}`);
    return run(command[0]!, [...command.slice(1), script], {
      cwd: source,
      env: {
        ...env,
        HOME: home,
        XDG_CONFIG_HOME: join(home, '.config'),
        XDG_CACHE_HOME: join(home, '.cache'),
        XDG_DATA_HOME: join(home, '.local/share'),
        PATH: `${tools}:${searchPath}`,
        DOCKER_HOST: `unix://${join(workspace.path, 'docker/docker.sock')}`,
        DOCKER_CONFIG: join(home, '.docker'),
        HUB: hub.host,
        HUB_URL: hub.url,
        BERTH_HUB: hub.url,
        PLAIN_HTTP: '--plain-http',
      },
    });
  }

  const as = ({ name, password }: typeof admin) => ({ ME: `${name}:${password}` });

  /** All steps of a job in one home, as on one machine. Each is a shell of its own, so they have only files in common. */
  function runJob(job: Job, env: Record<string, string> = {}): Promise<Output> {
    expect(job.scripts).not.toEqual([]);
    const steps = job.scripts.map((script) => `${job.shell.join(' ')} '${script.replaceAll("'", "'\\''")}'\n`);
    return shell(steps.join(''), { ...job.env, ...env });
  }

  async function isPublished(version: string, what: readonly string[]): Promise<void> {
    for (const repository of what) {
      const manifest = await read<{ schemaVersion: number }>(
        hub,
        `${project}/shop/${repository}`,
        `manifests/${version}`,
      );
      expect(manifest.schemaVersion, repository).toBe(2);
    }
    const file = await fetch(`${hub.url}/files/${project}/shop/cli:${version}/shop`, {
      headers: { Authorization: basic(owner) },
    });
    expect(await file.text()).toBe('a program\n');
  }

  const ALL = ['api', 'charts/shop', 'notes'];
  const isRefused = (job: Promise<Output>) => expect(job).rejects.toThrow(/401|unauthorized/i);

  const finalCommit = async (version: string) => {
    const answer = await fetch(`${hub.url}/files/${project}/shop/cli:${version}/`, {
      headers: { Authorization: basic(owner), Accept: 'application/json' },
    });
    return (await answer.json()) as { final: boolean; properties: Record<string, string> };
  };

  /** The issuer's block, told who signs here: nothing here can ask GitHub for its keys. */
  const withKeys = (text: string, { jwks }: Issuer) =>
    text.replace('"url":', `"jwks": ${JSON.stringify(jwks)}, "url":`);

  test('GitHub Actions publish by the job itself, from where the rule says', async () => {
    const issuer = await makeIssuer('https://token.actions.githubusercontent.com');
    await shell(withKeys(here(recipe('github issuer')), issuer), as(admin));
    await shell(here(recipe('github rule')), as(owner));
    let claims: Record<string, string> = {};
    await using tokens = await startGithubTokens(issuer, () => claims);
    const temporary = await workspace.folder('runner');
    const runs = (text: string, version: string, other: Record<string, string> = {}) => {
      const [job] = githubJobs(here(text), { 'github.sha': commit });
      expect(job!.mayAskForToken).toBe(true);
      claims = {
        sub: `repo:${project}/shop:ref:refs/tags/v${version}`,
        repository: `${project}/shop`,
        repository_owner: project,
        repository_owner_id: '1234567',
        ref: `refs/tags/v${version}`,
        ref_type: 'tag',
        sha: commit,
        ...other,
      };
      return runJob(job!, { ...tokens.env, GITHUB_REF_NAME: `v${version}`, RUNNER_TEMP: temporary });
    };
    await runs(recipe('github pipeline'), '1.0.0');
    await isPublished('1.0.0', ALL);
    await runs(release('release github'), '1.0.1');
    await isPublished('1.0.1', ['api', 'charts/shop']);
    expect(await finalCommit('1.0.1')).toMatchObject({ final: true, properties: { commit } });
    await isRefused(runs(recipe('github pipeline'), '1.0.2', { ref: 'refs/heads/main' }));
    await isRefused(runs(recipe('github pipeline'), '1.0.2', { repository: `${project}/fork` }));
  });

  test('GitLab CI publish by the job itself, from protected tags', async () => {
    await using issuer = await startDiscoverableIssuer();
    const local = (text: string) =>
      text.replace('"url": "https://gitlab.example.com"', `"url": "${issuer.url}", "http": true`);
    await shell(local(here(recipe('gitlab issuer'))), as(admin));
    await shell(here(recipe('gitlab rule')), as(owner));
    const runs = async (text: string, version: string, isProtected = true) => {
      const claims = {
        sub: `project_path:${project}/shop:ref_type:tag:ref:v${version}`,
        project_path: `${project}/shop`,
        namespace_path: project,
        ref: `v${version}`,
        ref_type: 'tag',
        ref_protected: String(isProtected),
      };
      const facts = { CI_COMMIT_TAG: `v${version}`, CI_COMMIT_SHA: commit };
      return runJob(await gitlabJob(here(text), facts, (audience) => issuer.sign(audience, claims)));
    };
    await runs(recipe('gitlab pipeline'), '1.1.0');
    await isPublished('1.1.0', ALL);
    await runs(release('release gitlab'), '1.1.1');
    await isPublished('1.1.1', ['api', 'charts/shop']);
    expect(await finalCommit('1.1.1')).toMatchObject({ final: true, properties: { commit } });
    await runs(release('release berth-gitlab'), '1.1.2');
    await isPublished('1.1.2', ['api', 'charts/shop']);
    expect(await finalCommit('1.1.2')).toMatchObject({ final: true });
    await isRefused(runs(recipe('gitlab pipeline'), '1.1.3', false));
    const TOKEN = await issuer.sign(hub.host, {
      project_path: `${project}/shop`,
      ref_type: 'tag',
      ref_protected: 'false',
    });
    const checked = JSON.parse((await shell(here(recipe('check')), { ...as(owner), TOKEN })).stdout) as {
      rules: unknown;
    };
    expect(checked).toMatchObject({ valid: true, issuer: 'gitlab' });
    expect(checked.rules).toContainEqual({
      rule: 'gitlab',
      matches: false,
      reasons: [expect.stringMatching(/ref_protected/)],
    });
  });

  test('a Kubernetes service account publish by the token that the kubelet puts there', async () => {
    const issuer = await makeIssuer('https://kubernetes.default.svc.cluster.local');
    await using cluster = await startClusterApi(issuer);
    const kubeconfig = join(workspace.path, 'kubeconfig');
    await writeFile(kubeconfig, cluster.kubeconfig);
    await shell(here(recipe('kubernetes issuer')), { ...as(admin), KUBECONFIG: kubeconfig });
    await shell(here(recipe('kubernetes rule')), as(owner));
    const secrets = await workspace.folder('secrets');
    const job = kubernetesJob(here(recipe('kubernetes pipeline')).replaceAll('/var/run/secrets', secrets));
    const put = async (subject: string) => {
      expect(job.tokens).toHaveLength(1);
      for (const { file, audience } of job.tokens) {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, await issuer.sign(audience, { sub: subject }));
      }
    };
    await put('system:serviceaccount:build:default');
    await isRefused(runJob(job));
    await put(job.subject);
    await runJob(job);
    await isPublished('1.0.0', ['charts/shop', 'notes']);
  });

  test('Jenkins publish by a robot', async () => {
    const HUB_TOKEN = (await shell(here(recipe('jenkins robot')), as(owner))).stdout.trim().split('\n').at(-1)!;
    const credential = { HUB_USER: `robot-${project}-jenkins`, HUB_TOKEN };
    const runs = async (text: string, version: string) => {
      const facts = {
        TAG_NAME: `v${version}`,
        GIT_COMMIT: commit,
        WORKSPACE_TMP: await workspace.folder(`tmp-${version}`),
      };
      return runJob(jenkinsJob(here(text), facts), credential);
    };
    await runs(recipe('jenkins pipeline'), '1.3.0');
    await isPublished('1.3.0', ALL);
    // A release that fails before its end is gone on with; one that is complete stays what it is.
    await rename(join(source, 'charts'), join(source, 'elsewhere'));
    await expect(runs(release('release jenkins'), '1.3.1')).rejects.toThrow(/charts\/shop/);
    await rename(join(source, 'elsewhere'), join(source, 'charts'));
    await runs(release('release jenkins'), '1.3.1');
    await isPublished('1.3.1', ['api', 'charts/shop']);
    expect(await finalCommit('1.3.1')).toMatchObject({ final: true, properties: { commit } });
    await expect(runs(release('release jenkins'), '1.3.1')).rejects.toThrow(/may not overwrite the tag 1\.3\.1/);
  });

  test('berth publish by a personal token, from GitHub and Jenkins', async () => {
    const path = { actions: ['pull', 'push'], paths: [`${project}/shop/**`] };
    const made = await ask('POST', '/me/tokens', { name: 'release', ...path }, owner);
    const { token: BERTH_TOKEN } = (await made.json()) as { token: string };
    const published = async (version: string) => {
      await isPublished(version, ['api', 'charts/shop']);
      expect(await finalCommit(version)).toMatchObject({
        final: true,
        properties: { commit: expect.stringMatching(/^\w{40}$/) },
      });
    };
    const onGithub = async (name: string, version: string, facts: Record<string, string> = {}) => {
      for (const job of githubJobs(here(release(name)), { 'secrets.BERTH_TOKEN': BERTH_TOKEN, ...facts })) {
        await runJob(job, { GITHUB_REF_NAME: `v${version}` });
      }
    };
    await onGithub('release berth-github', '1.4.0');
    await published('1.4.0');
    const facts = { TAG_NAME: 'v1.4.1', WORKSPACE_TMP: await workspace.folder('tmp-1.4.1') };
    await runJob(jenkinsJob(here(release('release berth-jenkins')), facts), { BERTH_TOKEN });
    await published('1.4.1');
    await onGithub('release matrix', '1.4.2', { 'matrix.os': 'ubuntu-latest', 'runner.os': 'Linux' });
    expect(await finalCommit('1.4.2')).toMatchObject({ final: true, folders: [expect.anything()] });
  });

  test('a pull secret make pods pull, and no more', async () => {
    const image = `${hub.host}/${project}/shop/api:secret`;
    const robot = (await shell(here(recipe('pull-secret robot')), as(owner))).stdout.trim().split('\n').at(-1)!;
    await docker.login({ ...hub, user: owner.name, password: owner.password });
    await docker.run('build', '--tag', image, source);
    await docker.run('push', image);
    await using cluster = await startClusterApi(await makeIssuer('https://cluster.example.com'));
    const kubeconfig = join(workspace.path, 'kubeconfig');
    await writeFile(kubeconfig, cluster.kubeconfig);
    await shell(here(recipe('pull-secret secret')), { KUBECONFIG: kubeconfig, HUB_TOKEN: robot });
    const patch = cluster.written.get('PATCH /api/v1/namespaces/shop/serviceaccounts/default')!;
    expect(JSON.parse(patch)).toEqual({ imagePullSecrets: [{ name: 'hub' }] });
    const config = dockerConfigIn(cluster.written.get('POST /api/v1/namespaces/shop/secrets')!);
    const asKubelet = (line: string) =>
      shell(`mkdir -p "$DOCKER_CONFIG"\nprintf %s "$CONFIG" > "$DOCKER_CONFIG/config.json"\n${line}`, {
        CONFIG: config,
      });
    await docker.run('rmi', image);
    await expect(shell(`docker pull ${image}`)).rejects.toThrow(/denied|unauthorized|not found/i);
    await asKubelet(`docker pull ${image}`);
    await expect(asKubelet(`docker push ${image}`)).rejects.toThrow(/denied|unauthorized/i);
  });

  test('people have no line in docs/ci.md that is not run here', async () => {
    const page = await readFile('docs/ci.md', 'utf8');
    const untested = [...page.matchAll(/(^<!-- recipe: .+ -->\n)?^```(sh|yaml|groovy)\n(.*?)^```$/gms)].filter(
      ([, marker]) => !marker,
    );
    // The two variables at the top.
    expect(untested.map(([, , , text]) => text!.match(/^\w+/gm))).toEqual([['HUB', 'HUB_URL']]);
  });
});

/** Of a secret as kubectl sends it, which is JSON or protobuf. */
function dockerConfigIn(secret: string): string {
  const raw = /\{"auths":.*?\}\}\}/s.exec(secret)?.[0];
  if (raw !== undefined) return raw;
  const { data } = JSON.parse(secret) as { data: Record<string, string> };
  return Buffer.from(data['.dockerconfigjson']!, 'base64').toString();
}
