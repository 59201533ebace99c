/**
 * Who may do what, said a second time: from docs/access.md and docs/api.md, in other words than the hub's, and without any of its
 * code. The matrix holds the two against each other.
 */
export type Action = 'pull' | 'push' | 'delete' | 'admin';

/** What a route asks for. */
export type Needs =
  /** /v2: any credentials, none are challenged. */
  | 'a token'
  | 'the catalogue'
  /** Upon a repository; `besides` says what else the request of the matrix meets. */
  | { readonly action: 'pull' | 'push' | 'delete'; readonly besides?: 'needs the repository' | 'deletes a tag' }
  /** Upon the chart `web`, by the classic door or by the API. */
  | { readonly chart: 'see' | 'upload' | 'pull' | 'delete' }
  | { readonly apiChart: 'pull' | 'delete' }
  /** Upon a file of a version that is final. */
  | { readonly file: 'pull' | 'push' | 'delete'; readonly changes?: true }
  | 'nothing'
  | 'an exchange'
  | 'valid credentials or none'
  | 'someone'
  | 'a password'
  | 'a hub administrator'
  | 'to see the project'
  | 'to see the project, signed in'
  | 'to administrate the project'
  /** Looks at no credentials at all. */
  | 'to come to sign in';

const pull = { action: 'pull', besides: 'needs the repository' } as const;
const push = { action: 'push' } as const;
const upload = { action: 'push', besides: 'needs the repository' } as const;

/** By the id of the route, for every door. A route that is not here fails the matrix. */
export const POLICY: Readonly<Record<string, Needs>> = {
  'end-1': 'a token',
  'end-1/': 'a token',
  'end-2': pull,
  'end-3': pull,
  'end-4': push,
  'end-4/': push,
  'end-5': upload,
  'end-6': upload,
  'end-7': push,
  'end-8': pull,
  'end-9': { action: 'delete', besides: 'deletes a tag' },
  'end-10': { action: 'delete', besides: 'needs the repository' },
  'end-12': { action: 'pull' },
  'end-13': upload,
  'end-14': upload,
  catalog: 'the catalogue',

  token: 'an exchange',
  'token-post': 'nothing',
  jwks: 'nothing',

  'helm-index': { chart: 'see' },
  'helm-charts': { chart: 'see' },
  'helm-chart': { chart: 'pull' },
  'helm-version': { chart: 'pull' },
  'helm-values': { chart: 'pull' },
  'helm-templates': { chart: 'pull' },
  'helm-file': { chart: 'pull' },
  'helm-upload': { chart: 'upload' },
  'helm-upload-prov': { chart: 'upload' },
  'helm-delete': { chart: 'delete' },

  'files-get': { file: 'pull' },
  'files-put': { file: 'push', changes: true },
  'files-post': { file: 'push' },
  'files-patch': { file: 'push' },
  'files-delete': { file: 'delete', changes: true },

  'api-versions': 'to see the project',
  'api-share-create': 'to see the project, signed in',
  'api-shares': 'to see the project',
  'api-share-revoke': 'to see the project, signed in',

  'api-immutability-rules': 'to see the project',
  'api-immutability-rule-create': 'to administrate the project',
  'api-immutability-rule-remove': 'to administrate the project',
  'api-holds': 'to see the project',
  'api-hold-place': 'to see the project, signed in',
  'api-hold-release': 'to see the project, signed in',
  'api-tag-history': 'to see the project',
  'api-tag-restore': 'to see the project, signed in',
  'api-delete-preview': 'to see the project, signed in',
  'api-repository-delete': 'to administrate the project',
  'api-trash': 'to see the project',
  'api-trash-restore': 'to see the project, signed in',
  'api-trash-purge': 'to administrate the project',

  'oidc-start': 'nothing',
  'oidc-callback': 'nothing',
  'api-sign-in-ways': 'valid credentials or none',
  'api-providers': 'a hub administrator',
  'api-provider-create': 'a hub administrator',
  'api-provider': 'a hub administrator',
  'api-provider-change': 'a hub administrator',
  'api-provider-remove': 'a hub administrator',
  'api-user-identities': 'a hub administrator',
  'api-user-identity-unlink': 'a hub administrator',

  'api-issuers': 'a hub administrator',
  'api-issuer-create': 'a hub administrator',
  'api-issuer': 'a hub administrator',
  'api-issuer-change': 'a hub administrator',
  'api-issuer-remove': 'a hub administrator',
  'api-gc': 'a hub administrator',
  'api-gc-runs': 'a hub administrator',
  'api-gc-preview': 'a hub administrator',
  'api-gc-run': 'a hub administrator',
  'api-gc-holds': 'a hub administrator',
  'api-gc-hold-create': 'a hub administrator',
  'api-gc-hold-release': 'a hub administrator',

  'api-project-issuers': 'to administrate the project',
  'api-trust-rules': 'to administrate the project',
  'api-trust-rule-create': 'to administrate the project',
  'api-trust-rule-check': 'to administrate the project',
  'api-trust-rule': 'to administrate the project',
  'api-trust-rule-change': 'to administrate the project',
  'api-trust-rule-remove': 'to administrate the project',
  'api-ci-sessions': 'to administrate the project',
  'api-ci-session-revoke': 'to administrate the project',

  'api-webhooks': 'to administrate the project',
  'api-webhook-create': 'to administrate the project',
  'api-webhook': 'to administrate the project',
  'api-webhook-change': 'to administrate the project',
  'api-webhook-remove': 'to administrate the project',
  'api-webhook-rotate': 'to administrate the project',
  'api-webhook-test': 'to administrate the project',
  'api-webhook-deliveries': 'to administrate the project',
  'api-webhook-delivery': 'to administrate the project',
  'api-webhook-redeliver': 'to administrate the project',
  'api-hub-webhooks': 'a hub administrator',
  'api-hub-webhook-create': 'a hub administrator',
  'api-hub-webhook': 'a hub administrator',
  'api-hub-webhook-change': 'a hub administrator',
  'api-hub-webhook-remove': 'a hub administrator',
  'api-hub-webhook-rotate': 'a hub administrator',
  'api-hub-webhook-test': 'a hub administrator',
  'api-hub-webhook-deliveries': 'a hub administrator',
  'api-hub-webhook-delivery': 'a hub administrator',
  'api-hub-webhook-redeliver': 'a hub administrator',

  'api-session-start': 'to come to sign in',
  'api-session': 'valid credentials or none',
  'api-session-end': 'someone',
  'api-my-sessions': 'someone',
  'api-my-sessions-end': 'a password',
  'api-my-session-end': 'a password',
  'api-user-sessions': 'a hub administrator',
  'api-user-sessions-end': 'a hub administrator',
  'api-user-tokens': 'a hub administrator',
  'api-user-token-revoke': 'a hub administrator',
  'api-hub-robots': 'a hub administrator',
  'api-hub-robot-create': 'a hub administrator',
  'api-hub-robot': 'a hub administrator',
  'api-hub-robot-change': 'a hub administrator',
  'api-hub-robot-remove': 'a hub administrator',
  'api-hub-robot-tokens': 'a hub administrator',
  'api-hub-robot-token-create': 'a hub administrator',
  'api-hub-robot-token-revoke': 'a hub administrator',
  'api-my-teams': 'someone',
  'api-teams': 'someone',
  'api-team': 'someone',
  'api-team-create': 'a hub administrator',
  'api-team-remove': 'a hub administrator',
  'api-team-members': 'a hub administrator',
  'api-team-member-add': 'a hub administrator',
  'api-team-member-remove': 'a hub administrator',
  'api-robots': 'to administrate the project',
  'api-robot-create': 'to administrate the project',
  'api-robot': 'to administrate the project',
  'api-robot-change': 'to administrate the project',
  'api-robot-remove': 'to administrate the project',
  'api-robot-tokens': 'to administrate the project',
  'api-robot-token-create': 'to administrate the project',
  'api-robot-token-revoke': 'to administrate the project',
  'api-charts': 'to see the project',
  'api-chart-versions': { apiChart: 'pull' },
  'api-chart-version': { apiChart: 'pull' },
  'api-chart-readme': { apiChart: 'pull' },
  'api-chart-values': { apiChart: 'pull' },
  'api-chart-schema': { apiChart: 'pull' },
  'api-chart-templates': { apiChart: 'pull' },
  'api-chart-dependencies': { apiChart: 'pull' },
  'api-chart-diff': { apiChart: 'pull' },
  'api-chart-yank': { apiChart: 'delete' },
  'api-chart-unyank': { apiChart: 'delete' },

  'api-openapi': 'valid credentials or none',
  'api-me': 'someone',
  'api-my-explain': 'someone',
  'api-my-password-change': 'a password',
  'api-my-tokens': 'someone',
  'api-my-token-create': 'a password',
  'api-my-token-revoke': 'a password',
  'api-users': 'a hub administrator',
  'api-user-create': 'a hub administrator',
  'api-user': 'a hub administrator',
  'api-user-change': 'a hub administrator',
  'api-audit': 'a hub administrator',
  'api-audit-export': 'a hub administrator',
  'api-projects': 'valid credentials or none',
  'api-project-create': 'someone',
  'api-project': 'to see the project',
  'api-project-change': 'to administrate the project',
  'api-project-delete': 'to administrate the project',
  'api-project-repositories': 'to see the project',
  'api-project-quota': 'to administrate the project',
  'api-project-quota-set': 'a hub administrator',
  'api-project-quota-recount': 'a hub administrator',
  'api-project-audit': 'to administrate the project',
  'api-project-audit-export': 'to administrate the project',
  'api-project-rename': 'to administrate the project',
  'api-repository-rename': 'to administrate the project',
  'api-repository-move': 'to administrate the project',
  'api-moves': 'to administrate the project',
  'api-move': 'to administrate the project',
  'api-aliases': 'to administrate the project',
  'api-alias-release': 'to administrate the project',
  'api-grants': 'to administrate the project',
  'api-grant': 'to administrate the project',
  'api-grant-set': 'to administrate the project',
  'api-grant-remove': 'to administrate the project',
  'api-explain': 'to administrate the project',
  'api-tags': 'to see the project',
  'api-retention-policy': 'to administrate the project',
  'api-retention-policy-set': 'to administrate the project',
  'api-retention-policy-remove': 'to administrate the project',
  'api-retention-preview': 'to administrate the project',
  'api-retention-runs': 'to administrate the project',
  'api-retention-run-start': 'to administrate the project',
  'api-retention-run': 'to administrate the project',
  'api-retention-run-decisions': 'to administrate the project',
  'api-retention-run-undo': 'to administrate the project',
};

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
