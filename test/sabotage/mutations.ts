/** Fifty ways to forget one condition of a check. Each has to fail a suite; `npm run test:sabotage` tries them one by one. */
export interface Mutation {
  /** What is forgotten. */
  readonly name: string;
  readonly file: string;
  /** Occurs exactly once. */
  readonly text: string;
  readonly by: string;
  /** The suite that is expected to notice; all the others follow when it does not. */
  readonly suite: string;
}

const mutation = (name: string, file: string, text: string, by: string, suite: string): Mutation => ({
  name,
  file,
  text,
  by,
  suite,
});

const GATE = 'test/auth/gate.test.ts';
const SUBJECTS = 'test/auth/subjects.test.ts';
const MATRIX = 'test/matrix/matrix.test.ts';
const SWAPS = 'test/matrix/swaps.test.ts';
const FIRST = 'test/matrix/first-push.test.ts';
const MOUNT = 'test/matrix/mount.test.ts';
const HIDDEN = 'test/matrix/hidden.test.ts';
const FORGED = 'test/auth/forged-tokens.test.ts';
const WIRE = 'test/auth/authenticate.test.ts';
const SESSIONS = 'test/api/sessions.test.ts';
const PROJECTS = 'test/api/projects.test.ts';
const CONVENTIONS = 'test/api/conventions.test.ts';

export const MUTATIONS: readonly Mutation[] = [
  mutation(
    'stale credentials',
    'src/auth/gate.ts',
    'async function weigh(principal: Principal, action: Action, target: Target, consider?: Consider): Promise<Verdict> {\n    if (isStale(principal, target)) return stale(target);',
    'async function weigh(principal: Principal, action: Action, target: Target, consider?: Consider): Promise<Verdict> {',
    GATE,
  ),
  mutation(
    'a later epoch',
    'src/auth/gate.ts',
    '(target.principalEpoch === 0 || target.principalEpoch > principal.epoch)',
    'target.principalEpoch === 0',
    GATE,
  ),
  mutation(
    'an epoch of 0',
    'src/auth/gate.ts',
    '(target.principalEpoch === 0 || target.principalEpoch > principal.epoch)',
    'target.principalEpoch > principal.epoch',
    GATE,
  ),
  mutation(
    'only pulling is public',
    'src/auth/gate.ts',
    "if (action === 'pull' && project.visibility === 'public')",
    "if (project.visibility === 'public')",
    GATE,
  ),
  mutation(
    'only what is public is public',
    'src/auth/gate.ts',
    "if (action === 'pull' && project.visibility === 'public')",
    "if (action === 'pull')",
    GATE,
  ),
  mutation(
    'nobody may only pull',
    'src/auth/gate.ts',
    "if (principal.kind === 'anonymous' && action !== 'pull')",
    'if (false)',
    GATE,
  ),
  mutation(
    'the limits of a token',
    'src/auth/gate.ts',
    "if (!withinLimits(principal.limits, action, target.path)) return deny('beyond the limits of the token');",
    '',
    GATE,
  ),
  mutation(
    'the actions of a token',
    'src/auth/gate.ts',
    '  if (!limits.actions.includes(action)) return false;\n',
    '',
    GATE,
  ),
  mutation(
    'the paths of a token',
    'src/auth/gate.ts',
    'return limits.paths === undefined || limits.paths.some((glob) => matchesPath(glob, path));',
    'return true;',
    GATE,
  ),
  mutation(
    'what a registry token was asked for',
    'src/auth/gate.ts',
    'if (principal.access !== undefined && !principal.access.get(target.path)?.includes(action)) {',
    'if (false) {',
    GATE,
  ),
  mutation(
    'which path a registry token is for',
    'src/auth/gate.ts',
    '!principal.access.get(target.path)?.includes(action)',
    '![...principal.access.values()].flat().includes(action)',
    GATE,
  ),
  mutation('robots make no projects', 'src/auth/gate.ts', "if (principal.kind !== 'user')", 'if (false)', GATE),
  mutation('who makes projects', 'src/auth/gate.ts', "if (config.projectCreation !== 'users') {", 'if (false) {', GATE),
  mutation(
    'names that cannot be made',
    'src/auth/gate.ts',
    'if (obstacle !== undefined) return',
    'if (false) return',
    GATE,
  ),
  mutation(
    'projects that do not show',
    'src/auth/gate.ts',
    "return grant ? allow(describe(grant)) : deny('no grant in the project');",
    "return allow('seen');",
    PROJECTS,
  ),
  mutation(
    'limits where projects show',
    'src/auth/gate.ts',
    "if (!limitsShow(principal.limits, project.name)) return deny('beyond the limits of the token');",
    '',
    MATRIX,
  ),
  mutation(
    'mounts look at limits',
    'src/auth/gate.ts',
    'const { access: _, ...credential } = principal;',
    'const { access: _, limits: _limits, ...credential } = principal;',
    GATE,
  ),
  mutation('the end of a grant', 'src/auth/rules.ts', "if (grant.until <= now) return 'it has expired';", '', GATE),
  mutation(
    'roles',
    'src/auth/rules.ts',
    "if (!roleAllows(grant.role, action)) return 'the role is not enough';",
    '',
    GATE,
  ),
  mutation(
    'paths of grants',
    'src/auth/rules.ts',
    "if (!matchesPath(grant.pathGlob, withinProject(target.path))) return 'it is for other paths';",
    '',
    GATE,
  ),
  mutation('create_only', 'src/auth/rules.ts', "return 'it is for creating only';", '', GATE),
  mutation(
    'create_only and moving',
    'src/auth/rules.ts',
    "target.change === 'overwrite' || target.change === 'delete'",
    "target.change === 'delete'",
    FIRST,
  ),
  mutation(
    'create_only and deleting',
    'src/auth/rules.ts',
    "(action === 'delete' || target.change === 'overwrite' || target.change === 'delete')",
    "target.change === 'overwrite'",
    GATE,
  ),
  mutation('tag globs', 'src/auth/rules.ts', "return 'it is for other tags';", 'return undefined;', GATE),
  mutation(
    'memory under old epochs',
    'src/auth/grant-memory.ts',
    'if (known?.stamp === stamp) return known.grants;',
    'if (known !== undefined) return known.grants;',
    GATE,
  ),
  mutation(
    'whose grant it is',
    'src/auth/queries/grants.ts',
    "s.id = ${principalId}::bigint\n      or s.kind = 'everyone'",
    "s.kind in ('user', 'everyone')",
    SUBJECTS,
  ),
  mutation(
    'teams that are disabled',
    'src/auth/queries/grants.ts',
    'where s.disabled_at is null and (',
    'where (',
    SUBJECTS,
  ),
  mutation('whose parent counts', 'src/auth/queries/grants.ts', "and s.kind = 'trust_rule')", 'and true)', SUBJECTS),
  mutation(
    'whose children inherit',
    'src/auth/queries/grants.ts',
    "where id = ${principalId}::bigint and kind = 'ci_session')\n         and s.kind = 'trust_rule')",
    'where id = ${principalId}::bigint))',
    SUBJECTS,
  ),
  mutation(
    "the team's end",
    'src/auth/queries/grants.ts',
    '(extract(epoch from least(g.expires_at, s.expires_at) - now()) * 1000)::float8',
    '(extract(epoch from g.expires_at - now()) * 1000)::float8',
    SUBJECTS,
  ),
  mutation(
    "another project's grant",
    'src/auth/queries/grants.ts',
    'where g.project_id = ${projectId} and g.id = ${id}`);\n}\n\n/** What',
    'where g.id = ${id}`);\n}\n\n/** What',
    SWAPS,
  ),
  mutation(
    'globs stay within a segment',
    'src/auth/glob.ts',
    "(segment) => segment === '**',",
    "(segment) => segment === '**' || segment === '*',",
    'test/auth/glob.test.ts',
  ),
  mutation('tokens that are revoked', 'src/auth/queries/login.ts', 't.revoked_at is null and ', '', WIRE),
  mutation('tokens that are over', 'src/auth/queries/login.ts', ' and t.expires_at > now()\n', '\n', WIRE),
  mutation(
    'tokens of the disabled',
    'src/auth/queries/login.ts',
    'p.disabled_at is null and coalesce(p.expires_at > now(), true)`);\n}\n\n/** At most',
    'true`);\n}\n\n/** At most',
    MATRIX,
  ),
  mutation('the name beside a token', 'src/auth/token-verifier.ts', ' || !mayAccompany(username, row.name)', '', WIRE),
  mutation(
    'the keys in a token',
    'src/auth/registry-tokens.ts',
    "typ !== TYPE || typeof kid !== 'string' || Object.keys(rest).length > 0",
    "typ !== TYPE || typeof kid !== 'string'",
    FORGED,
  ),
  mutation(
    'the type of a token',
    'src/auth/registry-tokens.ts',
    "typ !== TYPE || typeof kid !== 'string'",
    "typeof kid !== 'string'",
    FORGED,
  ),
  mutation(
    'the audience of a token',
    'src/auth/registry-tokens.ts',
    'if (!origins.includes(iss) || serviceOf(iss) !== aud)',
    'if (!origins.includes(iss))',
    FORGED,
  ),
  mutation(
    'registry tokens are for /v2',
    'src/api/guard.ts',
    "if (principal.credential === 'registry_token') {",
    'if (false) {',
    MATRIX,
  ),
  mutation(
    'a token changes no account',
    'src/api/guard.ts',
    "if (policy.kind === 'password' && !(PERSONAL as readonly string[]).includes(principal.credential)) {",
    'if (false) {',
    MATRIX,
  ),
  mutation(
    'hub administrators',
    'src/api/guard.ts',
    "if (policy.kind === 'hub-admin' && !isHubAdmin(principal)) {",
    'if (false) {',
    MATRIX,
  ),
  mutation(
    "an administrator's narrow token",
    'src/api/guard.ts',
    "return admin && (limits === undefined || (limits.actions.includes('admin') && limits.paths === undefined));",
    'return admin;',
    MATRIX,
  ),
  mutation(
    'managing a project',
    'src/api/guard.ts',
    "  if (action === 'see') return;\n",
    '  if (action !== undefined) return;\n',
    PROJECTS,
  ),
  mutation(
    'the slash that hides in a name',
    'src/api/guard.ts',
    "policy.kind === 'project' && isProjectName(project) ? project : ''",
    "policy.kind === 'project' ? project : ''",
    PROJECTS,
  ),
  mutation(
    'pulling at /v2',
    'src/oci/guard.ts',
    "  if (verdict.effect === 'deny') {\n    return { error:",
    "  if (verdict.effect === 'deny' && action !== 'pull') {\n    return { error:",
    MATRIX,
  ),
  mutation(
    'stale tokens at /v2/',
    'src/oci/guard.ts',
    'if (!isStale(principal, targetOf(scene))) return undefined;',
    'if (principal) return undefined;',
    MATRIX,
  ),
  mutation(
    'the scope of the catalogue',
    'src/oci/guard.ts',
    'if (access === undefined || access.has(CATALOG)) return;',
    'if (ctx) return;',
    MATRIX,
  ),
  mutation(
    'rights on the source of a mount',
    'src/registry/blobs.ts',
    "    if (verdict.effect === 'deny') continue;\n",
    '',
    MOUNT,
  ),
  mutation('moving a tag', 'src/registry/tags.ts', '    put.mayMove.overwrite(tag);\n', '', FIRST),
  mutation('making a tag', 'src/registry/tags.ts', 'if (before === null) put.mayMove.create(tag);', '', FIRST),
  mutation(
    'each tag of a deleted manifest',
    'src/registry/manifests.ts',
    '    for (const tag of tags) may.delete(tag);\n',
    '',
    FIRST,
  ),
  mutation(
    "another's upload",
    'src/registry/queries/uploads.ts',
    'where id = ${where.id} and repository_id = ${where.repositoryId} and coalesce(principal_id, 0) = ${where.principalId}`);',
    'where id = ${where.id}`);',
    SWAPS,
  ),
  mutation(
    'what the catalogue lists',
    'src/registry/catalog.ts',
    "      if (verdict.effect === 'deny') continue;\n",
    '',
    'test/oci/catalog.test.ts',
  ),
  mutation(
    'which repositories show',
    'src/api/project-routes.ts',
    "sees: async (row) => (await gate.decide(principal, 'pull', { ...target, path: row.path })).effect !== 'deny',",
    'sees: async () => true,',
    PROJECTS,
  ),
  mutation(
    'the CSRF token of a session',
    'src/auth/browser.ts',
    '!SAFE.has(ctx.method) && !isCsrfTokenOf(secret, ctx.get(CSRF_HEADER))',
    'false',
    SESSIONS,
  ),
  mutation(
    "another's session",
    'src/auth/queries/sessions.ts',
    'where id = ${id} and principal_id = ${principalId} returning 1 as done',
    'where id = ${id} returning 1 as done',
    SWAPS,
  ),
  mutation(
    'stale tokens at the charts',
    'src/helm/guard.ts',
    '    if (isStale(principal, facts)) throw unauthenticated();\n',
    '',
    MATRIX,
  ),
  mutation(
    'rights on a chart',
    'src/helm/guard.ts',
    "  if (verdict.effect !== 'deny') return scene;\n",
    '  if (verdict) return scene;\n',
    MATRIX,
  ),
  mutation(
    'what explains itself to strangers',
    'src/api/explain-routes.ts',
    "if ((await gate.sees(principal, target)).effect === 'deny') throw notFound();",
    '',
    'test/api/explain.test.ts',
  ),
  mutation(
    'the body behind a key',
    'src/api/idempotency.ts',
    'if (!kept.request.equals(request)) {',
    'if (false) {',
    CONVENTIONS,
  ),
  mutation(
    'who reads the trail of a project',
    'src/auth/queries/audit.ts',
    '...(projectId === undefined ? [] : [sql`project_id = ${projectId}`]),',
    '',
    'test/audit/trail.test.ts',
  ),
  mutation(
    'whether a hidden name is told apart',
    'src/oci/guard.ts',
    "if (action === 'pull') return nameUnknown();",
    '',
    HIDDEN,
  ),
];
