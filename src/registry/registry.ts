/** What every operation on artifacts works with. Built once by `context.ts` and handed down. */
import type { Gate } from '../auth/principal.ts';
import type { BlobStore, Redirects } from '../blobs/store.ts';
import type { GcClocks } from '../config.ts';
import type { Database } from '../db/database.ts';
import type { Memory } from './memory.ts';
import type { Pulls } from './pulls.ts';
import type { Scenes } from './scene.ts';
import type { LiveHashes } from './uploads.ts';

export interface Registry {
  readonly db: Database;
  readonly store: BlobStore;
  readonly redirects: Redirects | undefined;
  readonly gate: Gate;
  readonly scenes: Scenes;
  readonly memory: Memory;
  readonly pulls: Pulls;
  readonly liveHashes: LiveHashes;
  /** Identifies this process in upload claims. */
  readonly worker: string;
  readonly limits: RegistryLimits;
  readonly clocks: GcClocks;
}

export interface RegistryLimits {
  /** Bytes of one blob. */
  readonly blob: number;
  /** Bytes of one manifest; the specification asks for at least 4 MiB. */
  readonly manifest: number;
  /** After which an upload that nobody continues is dropped. */
  readonly uploadIdleSeconds: number;
  /** Bytes of a new project; undefined: without limit. */
  readonly projectBytes: number | undefined;
}
