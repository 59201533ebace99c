/** What can be forgotten about the tokens of builds. */
import { mutation, type Mutation } from './mutation.ts';

const FORGED = 'test/ci-identity/forged.test.ts';
const SIGN_IN = 'test/ci-identity/sign-in.test.ts';
const RULES = 'test/ci-identity/rules.test.ts';
const TIME = 'test/ci-identity/time.test.ts';

export const CI_MUTATIONS: readonly Mutation[] = [
  mutation('algorithms of CI tokens', 'src/auth/ci-tokens.ts', '      algorithms: ALGORITHMS,\n', '', FORGED),
  mutation('how old a CI token is', 'src/auth/ci-tokens.ts', '      maxTokenAge: OLDEST_SECONDS,\n', '', FORGED),
  mutation(
    'that a CI token ends',
    'src/auth/ci-tokens.ts',
    "requiredClaims: ['iss', 'aud', 'exp', 'iat'],",
    "requiredClaims: ['iss', 'aud', 'iat'],",
    FORGED,
  ),
  mutation('one spelling of a CI token', 'src/auth/ci-tokens.ts', ' || !isCanonical(signature)', '', FORGED),
  mutation(
    'the signature of a CI token',
    'src/auth/ci-verifier.ts',
    'proven ? token.claims : await verified(issuer, token)',
    'token.claims',
    FORGED,
  ),
  mutation(
    'a CI token that is over opens no session',
    'src/auth/ci-verifier.ts',
    'proven ? await verified(issuer, token) : claims',
    'claims',
    TIME,
  ),
  mutation(
    'revoked CI sessions',
    'src/auth/ci-verifier.ts',
    '      if (revoked) throw new InvalidCredentials();\n',
    '',
    SIGN_IN,
  ),
  mutation(
    'claims of a trust rule',
    'src/auth/ci-verifier.ts',
    '.find((rule) => mismatches(rule.claims, claims).length === 0)',
    '.find(() => true)',
    FORGED,
  ),
  mutation(
    'what builds may do at most',
    'src/auth/ci-verifier.ts',
    '          limits: { actions: ACTIONS },\n',
    '',
    SIGN_IN,
  ),
  mutation(
    'the audience of a trust rule',
    'src/auth/queries/trust-rules.ts',
    'and r.audience = any(${audiences})',
    '',
    FORGED,
  ),
  mutation(
    'disabled trust rules',
    'src/auth/queries/trust-rules.ts',
    'i.disabled_at is null and p.disabled_at is null and r.audience',
    'i.disabled_at is null and r.audience',
    SIGN_IN,
  ),
  mutation(
    'disabled issuers',
    'src/auth/queries/issuers.ts',
    'where url = ${url} and disabled_at is null',
    'where url = ${url}',
    RULES,
  ),
  mutation(
    'whose CI session is revoked',
    'src/auth/queries/ci-sessions.ts',
    'and r.project_id = ${projectId} and p.disabled_at is null',
    'and p.disabled_at is null',
    SIGN_IN,
  ),
  mutation(
    'a revoked CI session that ended',
    'src/auth/ci-sessions.ts',
    '    if (known?.revoked) throw new InvalidCredentials();\n',
    '',
    SIGN_IN,
  ),
  mutation(
    'a CI session that is open already',
    'src/auth/ci-sessions.ts',
    'if (known !== undefined && known.expiresInMs > 0) return known;',
    '',
    SIGN_IN,
  ),
  mutation(
    'trust rules of other projects',
    'src/auth/queries/grants.ts',
    'trust_rules where principal_id = p.id), ${projectId}) = ${projectId}',
    'trust_rules where principal_id = p.id), ${projectId}) is not null',
    SIGN_IN,
  ),
  mutation(
    'how often keys are fetched',
    'src/auth/issuer-keys.ts',
    '(unknown && issuer.keysAgeMs > COOLDOWN_MS)',
    'unknown',
    TIME,
  ),
  mutation(
    'keys of the day before',
    'src/auth/issuer-keys.ts',
    'if (issuer.keysAgeMs > OLDEST_MS)',
    'if (false)',
    TIME,
  ),
];
