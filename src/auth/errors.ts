/** What can be wrong with credentials, told apart by the answer they deserve. None of these carries a secret. */

/**
 * The credentials are wrong, expired, revoked or malformed: 401. Says nothing about which, so that nobody learns whether an
 * account exists.
 */
export class InvalidCredentials extends Error {
  override readonly name = 'InvalidCredentials';
  constructor(cause?: unknown) {
    super('The user name, password or token is not valid.', cause === undefined ? undefined : { cause });
  }
}

/** Too many wrong passwords for this account from this address, or too many checks waiting: 429 with Retry-After. */
export class TooManyAttempts extends Error {
  override readonly name = 'TooManyAttempts';
  /** Whole seconds, at least 1. */
  readonly retryAfterSeconds: number;
  constructor(retryAfterSeconds: number) {
    super(`Too many sign-in attempts; try again in ${retryAfterSeconds} s.`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Someone vouched for by a provider does not get in, or the provider's answer is not for this browser: 403. */
export class SignInRefused extends Error {
  override readonly name = 'SignInRefused';
  constructor(message = 'This sign-in did not come to its end; start it again.', cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** A provider or directory cannot be asked right now, or answers nothing sensible: 503. The message is for the log. */
export class ProviderUnavailable extends Error {
  override readonly name = 'ProviderUnavailable';
}

export type AccountProblem =
  | 'name-invalid'
  | 'name-taken'
  | 'password-too-short'
  | 'password-too-long'
  | 'last-admin'
  | 'not-found'
  | 'subject-unknown'
  | 'expiry-out-of-range'
  | 'glob-invalid'
  | 'kind-differs'
  | 'in-use'
  | 'issuer-unusable'
  | 'rule-invalid';

/** A change to an account, token or grant that cannot be made; the message is a sentence for the person who asked. */
export class AccountError extends Error {
  override readonly name = 'AccountError';
  readonly problem: AccountProblem;
  constructor(problem: AccountProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}
