/** From what a route needs (`needs.ts`) to what a credential gets at a place: in other words than the hub's, and without its code. */
import type { Action, Needs } from './needs.ts';

/** What is at the path that is asked for. */
export interface Place {
  readonly name: string;
  readonly project: string;
  readonly repository: string;
  /** Undefined: there is no such project. */
  readonly kind: 'private' | 'public' | 'open' | undefined;
  readonly repositoryExists: boolean;
  /** The path is a former name: what it is called now. */
  readonly now?: Place;
}

/** Rights in one project; `covers` is asked with the path inside it, '' for the project itself. */
export interface Holding {
  readonly project: string;
  readonly actions: readonly Action[];
  readonly covers: (within: string) => boolean;
  /** Tags may be made, and not changed. */
  readonly createsOnly?: true;
  /** Which tags may be changed. */
  readonly tags?: (tag: string) => boolean;
}

export interface Subject {
  readonly name: string;
  readonly signedIn: boolean;
  readonly person: boolean;
  readonly admin: boolean;
  readonly holdings: readonly Holding[];
}

export interface Credential {
  readonly how: string;
  readonly subject: Subject;
  /** `over`: expired, revoked, forged, wrong, or of someone who was disabled since. */
  readonly state: 'none' | 'good' | 'over';
  readonly kind: 'password' | 'token' | 'session' | 'wide jwt' | 'narrow jwt';
  /** What a token is limited to. */
  readonly actions?: readonly Action[];
  readonly covers?: (path: string) => boolean;
  /** Whether any path in the project is among them. */
  readonly touches?: (project: string) => boolean;
}

export type Outcome = 'let through' | 'challenged' | 'forbidden' | 'hidden';

const ALL: readonly Action[] = ['pull', 'push', 'delete', 'admin'];
export const TAG = 'missing-tag';

/** What must come of a request. */
export function expected(needs: Needs, credential: Credential, place: Place): Outcome {
  return place.now === undefined ? byName(needs, credential, place) : byFormerName(needs, credential, place.now);
}

/** Reading is as by the name of today. Nobody writes; who may see what is called so now is told, and others hear what they always do. */
function byFormerName(needs: Needs, credential: Credential, now: Place): Outcome {
  const today = byName(needs, credential, now);
  if (typeof needs === 'string') {
    const manages = needs === 'to administrate the project' || needs === 'to see the project, signed in';
    return manages && today === 'let through' ? 'forbidden' : today;
  }
  if (credential.state === 'over') return 'challenged';
  const { signedIn } = credential.subject;
  if ('action' in needs) return needs.action === 'pull' ? today : signedIn ? 'forbidden' : 'challenged';
  if ('file' in needs) return needs.file === 'pull' ? today : signedIn ? 'forbidden' : 'challenged';
  if ('apiChart' in needs) {
    // Whoever sees the project is told that it has another name.
    const seen = byName('to see the project, signed in', credential, now);
    return needs.apiChart === 'pull' ? today : seen === 'let through' ? 'forbidden' : seen;
  }
  if (needs.chart === 'see' || needs.chart === 'pull') return today;
  if (!signedIn) return 'challenged';
  if (needs.chart === 'upload') return shows(credential, now) ? 'forbidden' : 'hidden';
  const chart = { ...now, repository: chartOf(now) };
  const may = (action: Action) =>
    has(credential.subject, action, chart) && within(credential, action, chart.repository);
  return may('delete') || may('pull') ? 'forbidden' : 'hidden';
}

function byName(needs: Needs, credential: Credential, place: Place): Outcome {
  const { subject, state } = credential;
  if (needs === 'nothing' || needs === 'to come to sign in') return 'let through';
  if (state === 'over') return 'challenged';
  const jwt = credential.kind.endsWith('jwt');
  if (typeof needs === 'object' && 'action' in needs) return onRepository(needs, credential, place);
  if (typeof needs === 'object' && 'file' in needs)
    return onFile(needs.file, needs.changes ?? false, credential, place);
  if (typeof needs === 'object' && 'chart' in needs) return onChart(needs.chart, credential, place);
  if (needs === 'a token') return state === 'none' ? 'challenged' : 'let through';
  if (needs === 'the catalogue') {
    if (state === 'none' || credential.kind === 'narrow jwt') return 'challenged';
    return jwt && !(credential.actions ?? ALL).includes('pull') ? 'challenged' : 'let through';
  }
  // Registry tokens are for /v2 alone.
  if (jwt) return 'challenged';
  if (typeof needs === 'object') return onApiChart(needs.apiChart, credential, place);
  if (needs === 'to see the project, signed in') {
    return subject.signedIn ? onProject('to see the project', credential, place) : 'challenged';
  }
  if (needs === 'an exchange' || needs === 'valid credentials or none') return 'let through';
  if (needs === 'to see the project' || needs === 'to administrate the project') {
    return onProject(needs, credential, place);
  }
  if (!subject.signedIn) return 'challenged';
  if (needs === 'a password') {
    return credential.kind === 'password' || credential.kind === 'session' ? 'let through' : 'forbidden';
  }
  if (needs === 'a hub administrator') {
    const full = (credential.actions ?? ALL).includes('admin') && credential.covers === undefined;
    return subject.admin && full ? 'let through' : 'forbidden';
  }
  return 'let through';
}

function onRepository(needs: Extract<Needs, { action: unknown }>, credential: Credential, place: Place): Outcome {
  const { subject } = credential;
  const { action, besides } = needs;
  const refused = subject.signedIn ? (action === 'pull' ? 'hidden' : 'forbidden') : 'challenged';
  if (!has(subject, action, place) || !within(credential, action, place.repository)) return refused;
  if (credential.kind === 'narrow jwt' && action !== 'pull') return 'challenged';
  if (besides !== undefined && !place.repositoryExists) return 'hidden';
  if (besides === 'deletes a tag' && !mayDeleteTag(subject, place)) return 'forbidden';
  return 'let through';
}

/** There is a file in each namespace; where there is no project, a push makes it, and the rest finds nothing. */
function onFile(action: 'pull' | 'push' | 'delete', changes: boolean, credential: Credential, place: Place): Outcome {
  const { subject } = credential;
  const files = { ...place, repository: filesOf(place) };
  const asked = credential.kind !== 'narrow jwt' || action === 'pull';
  if (has(subject, action, files) && within(credential, action, files.repository)) {
    // Another token would do.
    if (!asked) return 'challenged';
    if (place.kind === undefined) return action === 'push' ? 'let through' : 'hidden';
    return !changes || mayChange(subject, files, '1.0') ? 'let through' : 'forbidden';
  }
  if (!subject.signedIn) return 'challenged';
  return action === 'pull' ? 'hidden' : 'forbidden';
}

/** Whether some grant lets the subject change what a tag says. */
function mayChange(subject: Subject, place: Place, tag: string): boolean {
  if (subject.admin) return true;
  return subject.holdings.some(
    ({ project, actions, covers, tags, createsOnly }) =>
      project === place.project &&
      actions.includes('push') &&
      covers(inside(place)) &&
      !createsOnly &&
      (tags?.(tag) ?? true),
  );
}

/** The repository of files in the place's namespace. */
export function filesOf(place: Place): string {
  return `${namespaceOf(place)}/pack`;
}

/** There is a chart `web` in each namespace, and a version 1.2.3 of it; what is to be deleted is not there. */
function onChart(what: 'see' | 'upload' | 'pull' | 'delete', credential: Credential, place: Place): Outcome {
  const { subject } = credential;
  const refused = subject.signedIn ? 'hidden' : 'challenged';
  const chart = { ...place, repository: chartOf(place) };
  const may = (action: Action) => has(subject, action, chart) && within(credential, action, chart.repository);
  if (what === 'see') return shows(credential, place) ? 'let through' : refused;
  if (what === 'upload') {
    if (subject.signedIn && shows(credential, place))
      return pushesSomewhere(credential, place) ? 'let through' : 'forbidden';
    // A registry token is for the one repository that it names, and makes no namespace.
    const makes = place.kind === undefined && subject.person && !credential.kind.endsWith('jwt');
    return makes && within(credential, 'push', namespaceOf(place)) ? 'let through' : refused;
  }
  if (what === 'pull') return may('pull') && place.kind !== undefined ? 'let through' : refused;
  if (may('delete') && credential.kind !== 'narrow jwt') return 'hidden';
  if (!subject.signedIn) return 'challenged';
  return may('pull') ? 'forbidden' : 'hidden';
}

/** Whether there is anything in the project that the credential may push to. */
function pushesSomewhere(credential: Credential, place: Place): boolean {
  const { subject, kind, actions = ALL } = credential;
  if (!actions.includes('push') || kind === 'narrow jwt') return false;
  // A registry token is for the repositories that were asked for.
  if (kind === 'wide jwt') {
    return [place.repository, chartOf(place), filesOf(place)].some(
      (repository) => has(subject, 'push', { ...place, repository }) && within(credential, 'push', repository),
    );
  }
  return (
    subject.admin ||
    subject.holdings.some((holding) => holding.project === place.project && holding.actions.includes('push'))
  );
}

/** Of the chart `web` right below the project. */
function onApiChart(what: 'pull' | 'delete', credential: Credential, place: Place): Outcome {
  const seen = onProject('to see the project', credential, place);
  if (seen !== 'let through') return seen;
  const chart = { ...place, repository: `${place.project}/web` };
  const may = (action: Action) =>
    has(credential.subject, action, chart) && within(credential, action, chart.repository);
  if (!may('pull')) return 'hidden';
  if (what === 'pull') return 'let through';
  if (may('delete')) return 'hidden';
  return credential.subject.signedIn ? 'forbidden' : 'challenged';
}

export function namespaceOf({ repository }: Place): string {
  return repository.slice(0, repository.lastIndexOf('/'));
}

/** The chart of the place's namespace. */
export function chartOf(place: Place): string {
  return `${namespaceOf(place)}/web`;
}

/** Whether the credential may pull something in the project. */
function shows(credential: Credential, place: Place): boolean {
  const { subject, actions = ALL, touches } = credential;
  if (place.kind === undefined || !actions.includes('pull') || touches?.(place.project) === false) return false;
  return subject.admin || place.kind !== 'private' || subject.holdings.some(({ project }) => project === place.project);
}

function onProject(
  needs: 'to see the project' | 'to administrate the project',
  credential: Credential,
  place: Place,
): Outcome {
  const { subject } = credential;
  const refused = (otherwise: Outcome): Outcome => (subject.signedIn ? otherwise : 'challenged');
  if (!shows(credential, place)) return refused('hidden');
  if (needs === 'to see the project') return 'let through';
  const root = { ...place, repository: place.project };
  return has(subject, 'admin', root) && within(credential, 'admin', place.project)
    ? 'let through'
    : refused('forbidden');
}

/** What the subject may do, whatever it shows. */
function has(subject: Subject, action: Action, place: Place): boolean {
  if (place.kind === undefined) return action === 'push' ? subject.person : subject.admin;
  if (subject.admin) return true;
  // Public, or with a grant that lets everyone read.
  if (action === 'pull' && place.kind !== 'private') return true;
  return subject.holdings.some(
    (holding) => holding.project === place.project && holding.actions.includes(action) && holding.covers(inside(place)),
  );
}

function within({ actions, covers }: Credential, action: Action, path: string): boolean {
  return (actions ?? ALL).includes(action) && (covers?.(path) ?? true);
}

function mayDeleteTag(subject: Subject, place: Place): boolean {
  if (subject.admin) return true;
  return subject.holdings.some(
    ({ project, actions, covers, tags }) =>
      project === place.project && actions.includes('delete') && covers(inside(place)) && (tags?.(TAG) ?? true),
  );
}

function inside({ repository, project }: Place): string {
  return repository === project ? '' : repository.slice(project.length + 1);
}
