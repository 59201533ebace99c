/**
 * Where what is being done comes from: which request, whose, by which right. Doors say it once around a request; whatever is
 * recorded below finds it, without every function in between handing it on.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** As the outbox keeps it (column `origin`). */
export interface Origin {
  readonly principal?: { readonly id: number; readonly kind: string; readonly name: string } | undefined;
  readonly credential?: string | undefined;
  readonly credentialId?: number | undefined;
  readonly address?: string | undefined;
  readonly route?: string | undefined;
  /** Repository path or project name. */
  readonly path?: string | undefined;
  /** Which rule let it happen. */
  readonly reason?: string | undefined;
}

interface Tracked {
  /** Asked when something is recorded: by then the guard has found out who it is. */
  readonly now: () => Origin;
  reason?: string;
  denied?: string;
}

const storage = new AsyncLocalStorage<Tracked>();

/**
 * Does the work under this origin.
 * @returns the reason of a denial that was noted meanwhile
 */
export async function withOrigin(now: () => Origin, work: () => Promise<unknown>): Promise<string | undefined> {
  const tracked: Tracked = { now };
  await storage.run(tracked, work);
  return tracked.denied;
}

/** Undefined in background jobs. */
export function currentOrigin(): Origin | undefined {
  const tracked = storage.getStore();
  if (tracked === undefined) return undefined;
  const origin = tracked.now();
  return tracked.reason === undefined ? origin : { ...origin, reason: tracked.reason };
}

/** A finer rule than the guard's has decided, such as one on a tag. */
export function noteDecision(effect: 'allow' | 'deny', reason: string): void {
  const tracked = storage.getStore();
  if (tracked === undefined) return;
  if (effect === 'deny') tracked.denied = reason;
  else tracked.reason = reason;
}
