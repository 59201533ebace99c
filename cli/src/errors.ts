/** What went wrong, with the exit code that says so to a script. */

/** Exit codes, for scripts. 130 is for Ctrl-C. */
export const EXIT = { ok: 0, failure: 1, usage: 2, notFound: 3, auth: 4, conflict: 5, policy: 6, interrupted: 130 };

export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;
  constructor(message: string, exitCode: number = EXIT.failure) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function usage(message: string): CliError {
  return new CliError(message, EXIT.usage);
}

/** An answer of the hub that is not the one hoped for. */
export class HubError extends CliError {
  readonly status: number;
  /** The last part of a problem's type, or a code of /v2: `checksum-mismatch`, `DIGEST_INVALID`. */
  readonly code: string;
  constructor(status: number, code: string, sentence: string, requestId: string | undefined) {
    super(`${sentence}${requestId === undefined ? '' : ` (request ${requestId})`}`, exitCodeOf(status, code));
    this.status = status;
    this.code = code;
  }
}

function exitCodeOf(status: number, code: string): number {
  if (/policy|quota/i.test(code)) return EXIT.policy;
  if (status === 401 || status === 403) return EXIT.auth;
  if (status === 404) return EXIT.notFound;
  if (status === 409 || status === 412) return EXIT.conflict;
  return EXIT.failure;
}

/** Text from elsewhere, on one line, without what a terminal would obey. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
