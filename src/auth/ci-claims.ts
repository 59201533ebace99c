/**
 * What a trust rule says about claims, and whether a token's claims fit. `*` in a glob is any run of characters but `/`, `**` any run
 * at all; everything else is itself, upper and lower case included.
 */
import type { IssuerKind } from './issuers.ts';

export type ClaimGlobs = Readonly<Record<string, string>>;

const LONGEST_GLOB = 256;
const LONGEST_VALUE = 1_024;
const MOST_GLOBS = 16;

/** Claims that say whose build it is. A public issuer signs for everybody: without one of these a rule trusts the whole world. */
const WHOSE: Record<IssuerKind, readonly string[] | undefined> = {
  github: ['sub', 'repository', 'repository_id', 'repository_owner', 'repository_owner_id', 'job_workflow_ref'],
  gitlab: ['sub', 'project_path', 'project_id', 'namespace_path', 'namespace_id', 'user_login', 'user_id'],
  kubernetes: [
    'sub',
    '/kubernetes.io/namespace',
    '/kubernetes.io/serviceaccount/name',
    '/kubernetes.io/serviceaccount/uid',
  ],
  generic: undefined,
};

/** Why the claims are no rule, as a sentence; undefined when they are one. */
export function whyNotClaims(claims: ClaimGlobs, kind: IssuerKind): string | undefined {
  const entries = Object.entries(claims);
  if (entries.length > MOST_GLOBS) return `A rule binds at most ${MOST_GLOBS} claims.`;
  const long = entries.find(
    ([name, glob]) => name === '' || name.length > 128 || glob === '' || glob.length > LONGEST_GLOB,
  );
  if (long !== undefined)
    return `Name and glob of ${JSON.stringify(long[0].slice(0, 40))} have 1 to ${LONGEST_GLOB} characters.`;
  const reserved = ['iss', 'aud', 'exp', 'iat', 'nbf', 'jti'].find((name) => name in claims);
  if (reserved !== undefined) return `The claim ${reserved} is not bound here; the audience has a field of its own.`;
  if (!entries.some(([, glob]) => binds(glob))) {
    return 'Bind at least one claim beside the audience, such as sub or repository, to more than a star.';
  }
  const whose = WHOSE[kind];
  if (whose !== undefined && !whose.some((name) => claims[name] !== undefined && binds(claims[name]))) {
    return `Bind one of ${whose.join(', ')}, from its first character on: this issuer signs tokens for others, too.`;
  }
  return undefined;
}

/** It begins with something that not every value begins with. */
function binds(glob: string): boolean {
  return /^[^*/]/.test(glob);
}

/** What often is meant otherwise, for whoever writes the rule. */
export function hintsFor(claims: ClaimGlobs, kind: IssuerKind): string[] {
  const hints: string[] = [];
  const has = (...names: string[]): boolean => names.some((name) => claims[name] !== undefined);
  if (kind === 'github') {
    if (!has('sub', 'repository', 'repository_id', 'job_workflow_ref')) {
      hints.push(
        'Every repository of the owner may use this rule, forks into the organisation and new ones included; bind repository.',
      );
    }
    if (!has('sub', 'ref', 'environment', 'job_workflow_ref')) {
      hints.push('Every branch and tag may use this rule, and whoever can push one; bind ref or environment.');
    }
    if (!has('repository_id', 'repository_owner_id')) {
      hints.push('Names can be given up and taken by others; repository_owner_id cannot.');
    }
  }
  if (kind === 'gitlab') {
    if (!has('sub', 'project_path', 'project_id'))
      hints.push('Every project below may use this rule; bind project_path.');
    if (!has('sub', 'ref', 'ref_protected', 'environment')) {
      hints.push('Every branch may use this rule; bind ref_protected to true, or ref.');
    }
  }
  if (kind === 'kubernetes' && !has('sub', '/kubernetes.io/serviceaccount/name', '/kubernetes.io/serviceaccount/uid')) {
    hints.push('Every service account of the namespace may use this rule; bind sub.');
  }
  const wide = Object.entries(claims).find(([, glob]) => /^[^/]*\*/.test(glob) && glob.includes('/'));
  if (wide !== undefined) hints.push(`${wide[0]} has a star before its first slash: names that others choose may fit.`);
  return hints;
}

/** Why a token's claims do not fit, one sentence a claim; empty when they do. */
export function mismatches(globs: ClaimGlobs, claims: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(globs).flatMap(([name, glob]) => {
    const values = valuesOf(claims, name);
    if (values.length === 0) return [`The token has no claim ${name}.`];
    if (values.some((value) => value.length <= LONGEST_VALUE && matchesClaim(glob, value))) return [];
    const shown = values.map((value) => JSON.stringify(value.slice(0, 100))).slice(0, 3);
    return [`${name} is ${shown.join(', ')}, the rule wants ${JSON.stringify(glob)}.`];
  });
}

/** A name that begins with a slash is a JSON pointer (RFC 6901), for claims inside claims. Of a list any element may fit. */
function valuesOf(claims: Readonly<Record<string, unknown>>, name: string): string[] {
  const steps = name.startsWith('/')
    ? name
        .slice(1)
        .split('/')
        .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    : [name];
  let value: unknown = claims;
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, step)) return [];
    value = (value as Record<string, unknown>)[step];
  }
  const list: readonly unknown[] = Array.isArray(value) ? value.slice(0, 100) : [value];
  return list.filter((one) => ['string', 'number', 'boolean'].includes(typeof one)).map(String);
}

/** In at most glob × value steps, whatever the glob: the set of places in the glob that the value so far can have led to. */
export function matchesClaim(glob: string, value: string): boolean {
  if (!glob.includes('*')) return glob === value;
  const parts = glob.match(/\*\*+|\*|[^*]/gsu) ?? [];
  const isStar = (at: number): boolean => parts[at]?.startsWith('*') === true;
  let places = new Set<number>();
  const reach = (set: Set<number>, at: number): void => {
    for (let place = at; ; place++) {
      set.add(place);
      if (!isStar(place)) return;
    }
  };
  reach(places, 0);
  for (const character of value.match(/./gsv) ?? []) {
    const next = new Set<number>();
    for (const at of places) {
      const part = parts[at];
      if (part === undefined) continue;
      if (isStar(at)) {
        if (part.length > 1 || character !== '/') reach(next, at);
      } else if (part === character) {
        reach(next, at + 1);
      }
    }
    if (next.size === 0) return false;
    places = next;
  }
  return places.has(parts.length);
}

/** Claims that say which build it is, and hold nothing secret. */
const WELL_KNOWN = [
  ...['iss', 'sub', 'aud', 'iat', 'exp', 'jti', 'ref', 'ref_type', 'ref_protected', 'ref_path', 'sha', 'environment'],
  ...[
    'repository',
    'repository_id',
    'repository_owner',
    'repository_owner_id',
    'repository_visibility',
    'actor',
    'actor_id',
  ],
  ...[
    'workflow',
    'workflow_ref',
    'job_workflow_ref',
    'event_name',
    'run_id',
    'run_number',
    'run_attempt',
    'runner_environment',
  ],
  ...['project_path', 'project_id', 'namespace_path', 'namespace_id', 'user_login', 'user_id', 'pipeline_id'],
  ...['pipeline_source', 'job_id', 'ci_config_ref_uri', 'ci_config_sha', 'runner_id', 'kubernetes.io'],
];

/** What is kept of a token's claims, for lists and the audit trail: well-known ones and those of the rule, no more than a page. */
export function shownClaims(claims: Readonly<Record<string, unknown>>, rule: ClaimGlobs): Record<string, unknown> {
  let room = 6_000;
  const shown = [...new Set([...Object.keys(rule), ...WELL_KNOWN])].flatMap((name) => {
    if (!Object.hasOwn(claims, name)) return [];
    const value = claims[name];
    const kept = typeof value === 'string' ? value.slice(0, 512) : value;
    const size = name.length + JSON.stringify(kept).length;
    if (size > room) return [];
    room -= size;
    return [[name, kept] as const];
  });
  // Postgres takes neither NUL nor half a character.
  const wellFormed = (_: string, value: unknown): unknown =>
    typeof value === 'string' ? value.replaceAll('\0', '').toWellFormed() : value;
  return JSON.parse(JSON.stringify(Object.fromEntries(shown), wellFormed)) as Record<string, unknown>;
}
