/**
 * What the documents say to copy, and what a CI system would make of it: which environment a job has, and which shell runs what.
 * No more of each system's language is understood than the documents use.
 */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

/** The blocks of a page that follow `<!-- recipe: NAME -->`, by name. */
export async function readRecipes(page: string): Promise<(name: string) => string> {
  const text = await readFile(page, 'utf8');
  const found = new Map<string, string>();
  for (const [, name, block] of text.matchAll(/^<!-- recipe: (.+?) -->\n```\w+\n(.*?)^```$/gms)) {
    if (found.has(name!)) throw new Error(`${page} has two recipes ${name}`);
    found.set(name!, block!);
  }
  return (name) => {
    const block = found.get(name);
    if (block === undefined) throw new Error(`${page} has no recipe ${name}`);
    return block;
  };
}

/** A job as its CI system would run it: each script by a shell of its own, all with the same environment. */
export interface Job {
  readonly env: Readonly<Record<string, string>>;
  /** What is given each script as its last argument. */
  readonly shell: readonly string[];
  readonly scripts: readonly string[];
}

interface Workflow {
  permissions?: Record<string, string>;
  env?: Record<string, string>;
  jobs: Record<string, { env?: Record<string, string>; steps: { uses?: string; run?: string }[] }>;
}

/** @param facts what `${{ … }}` stands for */
export function githubJobs(
  text: string,
  facts: Readonly<Record<string, string>>,
): readonly (Job & { mayAskForToken: boolean })[] {
  const { permissions, env, jobs } = parse(text) as Workflow;
  const fill = (value: string): string =>
    value.replaceAll(/\$\{\{ (.+?) \}\}/g, (_, name: string) => {
      if (facts[name] === undefined) throw new Error(`Nobody told what ${name} is`);
      return facts[name];
    });
  return Object.values(jobs).map((job) => ({
    env: mapValues({ ...env, ...job.env }, fill),
    // https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax: what `run` is without `shell`.
    shell: ['bash', '-e', '-c'],
    scripts: job.steps.flatMap(({ run }) => (run === undefined ? [] : [fill(run)])),
    mayAskForToken: permissions?.['id-token'] === 'write',
  }));
}

interface GitlabJob {
  id_tokens?: Record<string, { aud: string }>;
  variables?: Record<string, string>;
  script: string[];
}

/** @param sign makes a token for an audience, as GitLab puts it into the variables that `id_tokens` names */
export async function gitlabJob(
  text: string,
  facts: Readonly<Record<string, string>>,
  sign: (audience: string) => Promise<string> = () => Promise.reject(new Error('No token was expected')),
): Promise<Job> {
  const [job, ...more] = Object.values(parse(text) as Record<string, GitlabJob>);
  if (job === undefined || more.length > 0) throw new Error('A recipe is one job');
  const tokens: Record<string, string> = {};
  for (const [name, { aud }] of Object.entries(job.id_tokens ?? {})) tokens[name] = await sign(aud);
  const variables = mapValues(job.variables ?? {}, (value) =>
    value.replaceAll(/\$(\w+)/g, (_, name: string) => facts[name] ?? ''),
  );
  return { env: { ...facts, ...variables, ...tokens }, shell: ['sh', '-e', '-c'], scripts: [job.script.join('\n')] };
}

/** @param facts the environment of each build; `"${env.NAME}"` stands for one of them */
export function jenkinsJob(text: string, facts: Readonly<Record<string, string>>): Job {
  const env: Record<string, string> = { ...facts };
  for (const [, name, literal, other] of text.matchAll(/\b([A-Z_]+) = (?:'([^']*)'|"\$\{env\.(\w+)\}")/g)) {
    env[name!] = literal ?? facts[other!] ?? '';
  }
  const scripts = [...text.matchAll(/\bsh (?:'''(.*?)'''|'([^'\n]+)')/gs)].map(([, long, short]) =>
    unescape(long ?? short!),
  );
  return { env, shell: ['sh', '-xe', '-c'], scripts };
}

/** What Groovy makes of a string in single quotes. */
function unescape(text: string): string {
  return text.replaceAll(/\\([\\'n\n])/g, (_, character: string) => ({ n: '\n', '\n': '' })[character] ?? character);
}

interface KubernetesJob {
  metadata: { namespace: string };
  spec: {
    template: {
      spec: {
        serviceAccountName: string;
        containers: {
          env: { name: string; value: string }[];
          command: string[];
          args: string[];
          volumeMounts: { name: string; mountPath: string }[];
        }[];
        volumes: {
          name: string;
          projected: { sources: { serviceAccountToken: { path: string; audience: string } }[] };
        }[];
      };
    };
  };
}

/** Also which token the kubelet would put where. */
export function kubernetesJob(text: string): Job & { subject: string; tokens: { file: string; audience: string }[] } {
  const { metadata, spec } = parse(text) as KubernetesJob;
  const pod = spec.template.spec;
  const [container, ...more] = pod.containers;
  if (container === undefined || more.length > 0) throw new Error('A recipe is one container');
  return {
    env: Object.fromEntries(container.env.map(({ name, value }) => [name, value])),
    shell: container.command,
    scripts: container.args,
    subject: `system:serviceaccount:${metadata.namespace}:${pod.serviceAccountName}`,
    tokens: container.volumeMounts.flatMap(({ name, mountPath }) =>
      pod.volumes
        .filter((volume) => volume.name === name)
        .flatMap((volume) => volume.projected.sources)
        .map(({ serviceAccountToken: { path, audience } }) => ({ file: `${mountPath}/${path}`, audience })),
    ),
  };
}

function mapValues(
  record: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(String(value))]));
}
