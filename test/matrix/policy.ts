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
  | 'nothing'
  | 'an exchange'
  | 'valid credentials or none'
  | 'someone'
  | 'a password'
  | 'a hub administrator'
  | 'to see the project'
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
  'api-project-audit': 'to administrate the project',
  'api-project-audit-export': 'to administrate the project',
  'api-grants': 'to administrate the project',
  'api-grant': 'to administrate the project',
  'api-grant-set': 'to administrate the project',
  'api-grant-remove': 'to administrate the project',
  'api-explain': 'to administrate the project',
};

/** What is at the path that is asked for. */
export interface Place {
  readonly name: string;
  readonly project: string;
  readonly repository: string;
  /** Undefined: there is no such project. */
  readonly kind: 'private' | 'public' | 'open' | undefined;
  readonly repositoryExists: boolean;
}

/** Rights in one project; `covers` is asked with the path inside it, '' for the project itself. */
export interface Holding {
  readonly project: string;
  readonly actions: readonly Action[];
  readonly covers: (within: string) => boolean;
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
  const { subject, state } = credential;
  if (needs === 'nothing' || needs === 'to come to sign in') return 'let through';
  if (state === 'over') return 'challenged';
  const jwt = credential.kind.endsWith('jwt');
  if (typeof needs === 'object') return onRepository(needs, credential, place);
  if (needs === 'a token') return state === 'none' ? 'challenged' : 'let through';
  if (needs === 'the catalogue') {
    if (state === 'none' || credential.kind === 'narrow jwt') return 'challenged';
    return jwt && !(credential.actions ?? ALL).includes('pull') ? 'challenged' : 'let through';
  }
  // Registry tokens are for /v2 alone.
  if (jwt) return 'challenged';
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

function onRepository(needs: Extract<Needs, object>, credential: Credential, place: Place): Outcome {
  const { subject } = credential;
  const { action, besides } = needs;
  const refused = subject.signedIn ? (action === 'pull' ? 'hidden' : 'forbidden') : 'challenged';
  if (!has(subject, action, place) || !within(credential, action, place.repository)) return refused;
  if (credential.kind === 'narrow jwt' && action !== 'pull') return 'challenged';
  if (besides !== undefined && !place.repositoryExists) return 'hidden';
  if (besides === 'deletes a tag' && !mayDeleteTag(subject, place)) return 'forbidden';
  return 'let through';
}

function onProject(
  needs: 'to see the project' | 'to administrate the project',
  credential: Credential,
  place: Place,
): Outcome {
  const { subject } = credential;
  const refused = (otherwise: Outcome): Outcome => (subject.signedIn ? otherwise : 'challenged');
  const shown = (credential.actions ?? ALL).includes('pull') && (credential.touches?.(place.project) ?? true);
  const visible =
    subject.admin || place.kind !== 'private' || subject.holdings.some(({ project }) => project === place.project);
  if (place.kind === undefined || !shown || !visible) return refused('hidden');
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
