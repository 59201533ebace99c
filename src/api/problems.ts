/** Every error of the API, once: RFC 9457 problem details with a catalogue of types. */

/** By the last part of `type`; docs/api.md says the same in prose. */
export const CATALOGUE = {
  'malformed-json': [400, 'The body is not JSON'],
  'validation-failed': [400, 'The request does not have the documented shape'],
  unauthenticated: [401, 'Sign in first'],
  forbidden: [403, 'You may not do that'],
  'quota-exceeded': [403, 'The project is full'],
  'password-required': [403, 'Sign in with your password'],
  'wrong-password': [403, 'The current password is wrong'],
  'cross-site': [403, 'The request may come from another site'],
  renamed: [403, 'It has another name now'],
  'not-found': [404, 'There is no such thing, or you may not see it'],
  'name-taken': [409, 'The name is taken'],
  'last-admin': [409, 'The last administrator has to stay'],
  'idempotency-conflict': [409, 'The key was used for another request'],
  'idempotency-unfinished': [409, 'The request with this key has not been answered'],
  'run-under-way': [409, 'A run is under way'],
  'run-not-done': [409, 'The run is in no state for it'],
  'webhook-disabled': [409, 'The webhook is disabled'],
  'limit-reached': [409, 'There are as many as there may be'],
  'in-use': [409, 'Something else rests on it'],
  'project-not-empty': [409, 'The project holds repositories'],
  'tag-immutable': [409, 'The tag is immutable'],
  'manifest-held': [409, 'The manifest is held'],
  conflict: [409, 'It does not go together with what is there'],
  'precondition-failed': [412, 'It has changed since'],
  'body-too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'The body has to be JSON'],
  'too-many-requests': [429, 'Too many requests'],
  internal: [500, 'Something went wrong in the hub'],
  'sign-in-unavailable': [503, 'The directory that knows the account cannot be reached right now'],
  unavailable: [503, 'The hub cannot reach its database right now'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemName = keyof typeof CATALOGUE;

/** What was wrong with one part of the request. */
export interface Fault {
  /** JSON pointer into the body, or the name of a parameter. */
  readonly at: string;
  readonly message: string;
}

export class Problem extends Error {
  override readonly name = 'Problem';
  readonly problem: ProblemName;
  readonly faults: readonly Fault[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** @param detail a sentence for the person who asked: what was wrong, what to do */
  constructor(
    problem: ProblemName,
    detail: string,
    more: { readonly faults?: readonly Fault[]; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail);
    this.problem = problem;
    this.faults = more.faults;
    this.headers = more.headers ?? {};
  }
}

export const PROBLEM_TYPE = 'urn:berth:problem:';

export function problemBody(problem: Problem, requestId: string): Record<string, unknown> {
  const [status, title] = CATALOGUE[problem.problem];
  return {
    type: PROBLEM_TYPE + problem.problem,
    title,
    status,
    detail: problem.message,
    request_id: requestId,
    ...(problem.faults && { errors: problem.faults }),
  };
}

/** The one answer for what is missing and what is hidden. */
export function notFound(): Problem {
  return new Problem('not-found', 'Look at the spelling, or ask an owner for the right to see it.');
}
