/** Who is calling, whatever the transport, and the words for what they may want. */

/** What can be done with what is in a repository; `admin` is managing the project itself. */
export type Action = 'pull' | 'push' | 'delete' | 'admin';

export interface Principal {
  readonly kind: 'anonymous' | 'user' | 'robot' | 'team' | 'trust_rule' | 'ci_session' | 'run';
  /** Row of `principals`; 0 for anonymous. */
  readonly id: number;
  readonly name: string;
  /** May do everything, everywhere, within `limits` and `access`. */
  readonly admin: boolean;
  /** `principals.epoch` when the credential was checked; a later epoch makes it invalid. 0 for anonymous. */
  readonly epoch: number;
  readonly credential: 'none' | 'password' | 'session' | 'token' | 'ci' | 'registry_token';
  /** Which one it is, when the hub keeps a row of it (a token, a session). */
  readonly credentialId?: number;
  /** When the credential ends by itself, in milliseconds since 1970. Absent: it does not. */
  readonly expiresAt?: number;
  /** What the credential itself allows at most (a personal token narrows its owner). Absent: no limit. */
  readonly limits?: Limits;
  /** Of a registry token: exactly what the token endpoint granted, by repository path; `CATALOG` is the list of all. */
  readonly access?: ReadonlyMap<string, readonly Action[]>;
}

export interface Limits {
  readonly actions: readonly Action[];
  /** Globs of repository paths; absent: everywhere. */
  readonly paths?: readonly string[];
}

/** The key in `Principal.access` of scope `registry:catalog:*`; no repository can be called that. */
export const CATALOG = 'registry:catalog';

export const ANONYMOUS: Principal = {
  kind: 'anonymous',
  id: 0,
  name: 'anonymous',
  admin: false,
  epoch: 0,
  credential: 'none',
};

/** What the gate needs to know of a project; read fresh (or stamped with its epoch) for each request. */
export interface ProjectFacts {
  readonly id: number;
  readonly name: string;
  readonly kind: 'hosted' | 'proxy';
  readonly visibility: 'private' | 'public';
  readonly allowSparse: boolean;
  /** Has a quota. */
  readonly limited: boolean;
  readonly epoch: number;
}

/** What is being asked for. */
export interface Target {
  /** Repository path, or the project's name when the project itself is meant. */
  readonly path: string;
  /** What the request called it, when that is a former name. Rights are those on `path`; only reads come by the former name. */
  readonly askedPath?: string;
  /** Undefined when there is no such project. */
  readonly project: ProjectFacts | undefined;
  /** `principals.epoch` as it is now, from the same query as the facts; 0 when gone or disabled. */
  readonly principalEpoch: number;
  /** Facts of the artifact, for rules on tags and content. */
  readonly tag?: string;
  readonly change?: 'create' | 'overwrite' | 'delete';
  readonly digest?: string;
}

export interface Verdict {
  readonly effect: 'allow' | 'warn' | 'deny';
  /** Which rule decided, for people: shown to administrators and in logs, never to the denied. */
  readonly reason: string;
  /** Why a denial is not final: the credential, not the subject, is what lacks the right (ask for a wider token). */
  readonly insufficientScope?: boolean;
  /** The credential was valid once and is not any more: revoked, disabled, password changed. */
  readonly stale?: boolean;
  /** Denied because the name is a former one, to someone who may know what it is called now (`movedSentence`). */
  readonly moved?: boolean;
  readonly warnings: readonly string[];
}

/**
 * Where the facts come from: fresh for each request, cheap to ask for many paths at once. `path` is a repository's path, a
 * project's name, or '' when only the principal's epoch matters.
 */
export type Facts = (path: string, principalId: number) => Promise<Target>;

/** A verdict, and what led to it. */
export interface Explanation {
  readonly verdict: Verdict;
  /** Every grant that the principal has in the project, unless something else decided before grants were looked at. */
  readonly rules: readonly ConsideredRule[];
}

export interface ConsideredRule {
  /** Row of `grants`. */
  readonly grant: number;
  readonly rule: string;
  /** Why it does not allow this; absent: it does. */
  readonly obstacle?: string;
}

/** The one place where rights are decided. */
export interface Gate {
  /** Fails only when Postgres does; asks it only for grants that it has not seen under the target's epochs. */
  decide(principal: Principal, action: Action, target: Target): Promise<Verdict>;
  /**
   * Whether blobs may be mounted or referenced from the target: what the credential may pull, whether or not the client
   * asked for a registry token that says so.
   */
  mayMountFrom(principal: Principal, target: Target): Promise<Verdict>;
  /**
   * Whether the project shows at all: the principal may pull something in it, now or once it is pushed. Like `mayMountFrom`
   * it looks at the credential, not at what a registry token was asked for.
   */
  sees(principal: Principal, target: Target): Promise<Verdict>;
  /**
   * Whether there is anything in the project that it could be allowed for: for requests that say in their body what they are
   * about, so that the bodies of those who are denied in any case are not read. What is in the body is decided by `decide`.
   */
  mayAnywhere(principal: Principal, action: Action, target: Target): Promise<Verdict>;
  /** `decide`, with the rules that were considered. For administrators, owners, and people about themselves. */
  explain(principal: Principal, action: Action, target: Target): Promise<Explanation>;
}
