/** What the primary process and its workers say to each other. */
import type { Config, Secrets } from '../config.ts';

export interface HubStart {
  /** `database` is always the external kind: the primary has started the embedded one and says where it is. */
  readonly config: Config;
  readonly secrets: Secrets;
  /** 1, 2, …; a worker that takes the place of another gets its number. */
  readonly worker: number;
  /** Names the process in its claims on uploads. */
  readonly claimant: string;
  /** Processes that had this place before and are gone: what they had claimed is free. */
  readonly former: readonly string[];
  /** Whether this process runs the background jobs: one of a hub's workers does. */
  readonly jobs: boolean;
}

export type ToWorker =
  /** One worker does this before any starts, so that the primary need not load what it takes. */
  | { readonly type: 'prepare'; readonly start: HubStart }
  | { readonly type: 'start'; readonly start: HubStart }
  /** Another worker is gone: frees what it had claimed, long before the one that takes its place can. */
  | { readonly type: 'free'; readonly claimant: string }
  | { readonly type: 'close' };

export type FromWorker =
  /** With the administrator's password when it was made now. */
  | { readonly type: 'prepared'; readonly password?: string }
  | { readonly type: 'ready' }
  /** It could not prepare or start, and ends. */
  | { readonly type: 'failed'; readonly message: string; readonly stack: string };
