/** What can go wrong between a client and S3, on command. */

export const OPERATIONS = [
  'PutObject',
  'GetObject',
  'HeadObject',
  'DeleteObject',
  'DeleteObjects',
  'CreateMultipartUpload',
  'UploadPart',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
  'ListMultipartUploads',
  'ListParts',
  'ListObjectsV2',
  'HeadBucket',
] as const;

export type Operation = (typeof OPERATIONS)[number];

export interface FakeRequest {
  readonly operation: Operation;
  readonly key: string;
  /** Of UploadPart. */
  readonly partNumber?: number;
}

export type Fault =
  /** The answer is this error, and nothing is done. */
  | { readonly kind: 'refuse'; readonly status: number; readonly code: string }
  /** Status 200 with an error in the body, as CompleteMultipartUpload can answer. */
  | { readonly kind: 'error-in-200'; readonly done: boolean }
  /** The connection is reset; `done` says whether the request had taken effect. */
  | { readonly kind: 'reset'; readonly done: boolean }
  /** No answer until released; `done` says whether the request takes effect before. */
  | { readonly kind: 'stall'; readonly done: boolean }
  /** The connection ends after this many bytes of the body. */
  | { readonly kind: 'cut'; readonly bytes: number }
  /** After this many bytes of the body nothing more comes, until released: then the connection ends. */
  | { readonly kind: 'hang'; readonly bytes: number }
  /** The body comes in pieces of this many bytes. */
  | { readonly kind: 'trickle'; readonly bytes: number };

export const faults = {
  internalError: { kind: 'refuse', status: 500, code: 'InternalError' },
  slowDown: { kind: 'refuse', status: 503, code: 'SlowDown' },
  timeTooSkewed: { kind: 'refuse', status: 403, code: 'RequestTimeTooSkewed' },
  expiredToken: { kind: 'refuse', status: 400, code: 'ExpiredToken' },
  errorInBody: { kind: 'error-in-200', done: false },
  errorInBodyButDone: { kind: 'error-in-200', done: true },
  resetBefore: { kind: 'reset', done: false },
  resetAfter: { kind: 'reset', done: true },
  stall: { kind: 'stall', done: false },
  stallAfter: { kind: 'stall', done: true },
} as const satisfies Record<string, Fault>;

/** One operation, one occurrence of it (from 1, counted from now), or whatever the function says. */
export type Match =
  | Operation
  | { readonly operation: Operation; readonly nth: number }
  | ((request: FakeRequest) => boolean);

export interface InjectedFault {
  /** Requests that it has hit. */
  readonly hits: number;
  /** Lets stalled requests go on. */
  release(): void;
}

class Injected implements InjectedFault {
  hits = 0;
  readonly #matches: (request: FakeRequest) => boolean;
  readonly fault: Fault;
  readonly #times: number;
  readonly #released = Promise.withResolvers<void>();

  constructor(match: Match, fault: Fault, times: number) {
    this.fault = fault;
    this.#times = times;
    let seen = 0;
    if (typeof match === 'function') this.#matches = match;
    else if (typeof match === 'string') this.#matches = ({ operation }) => operation === match;
    else this.#matches = ({ operation }) => operation === match.operation && ++seen >= match.nth;
  }

  get released(): Promise<void> {
    return this.#released.promise;
  }

  release(): void {
    this.#released.resolve();
  }

  takes(request: FakeRequest): boolean {
    if (this.hits >= this.#times || !this.#matches(request)) return false;
    this.hits++;
    return true;
  }
}

export class Faults {
  readonly #injected: Injected[] = [];

  add(match: Match, fault: Fault, times: number): InjectedFault {
    const injected = new Injected(match, fault, times);
    this.#injected.push(injected);
    return injected;
  }

  take(request: FakeRequest): { fault: Fault; released: Promise<void> } | undefined {
    return this.#injected.find((injected) => injected.takes(request));
  }

  /** Forgets all faults and lets go on what they hold. */
  clear(): void {
    for (const injected of this.#injected.splice(0)) injected.release();
  }
}
