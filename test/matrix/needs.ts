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
