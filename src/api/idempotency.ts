/**
 * `Idempotency-Key` on creates: a client that did not hear the answer sends the same request again and gets the answer that the
 * first one had, not a second thing. Kept for a day, for each principal and route; failures are not kept.
 */
import { createHash } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import type { Principal } from '../auth/principal.ts';
import type { Secrets } from '../auth/secrets.ts';
import type { Database } from '../db/database.ts';
import { readBytes, type ApiRoute } from './call.ts';
import { Problem } from './problems.ts';
import {
  claimKey,
  keepAnswer,
  releaseKey,
  selectKept,
  type KeptRow,
  type KeyedRequest,
} from './queries/idempotency.ts';

export interface IdempotencyParts {
  readonly db: Database;
  readonly secrets: Secrets;
}

/** What nothing longer than a create takes; after that the first request is taken to have died. */
const PATIENCE_SECONDS = 60;
const KEY = /^[\x21-\x7e]{1,255}$/;
const PURPOSE = 'idempotency';

/** Creates only: everything else can be repeated as it is. */
export function replayable(parts: IdempotencyParts, route: ApiRoute): ApiRoute {
  return route.status === 201 ? { ...route, handler: replaying(parts, route) } : route;
}

function replaying({ db, secrets }: IdempotencyParts, { id, handler }: ApiRoute): Middleware {
  return async (ctx, next) => {
    const { principal } = ctx.state as { principal: Principal };
    const given = ctx.get('Idempotency-Key');
    if (given === '' || principal.id === 0) return handler(ctx, next);
    if (!KEY.test(given)) {
      throw new Problem('validation-failed', 'An Idempotency-Key is 1 to 255 visible ASCII characters.');
    }
    const key = createHash('sha256').update(given).digest();
    const keyed = { principalId: principal.id, route: id, key };
    const name = nameOf(keyed);
    const request = secrets.fingerprint(PURPOSE, Buffer.concat([Buffer.from(`${ctx.url}\0`), await readBytes(ctx)]));
    if (!(await claimKey(db, keyed, request))) {
      const kept = await selectKept(db, keyed);
      return replay(ctx, kept, request, (row) => secrets.open(PURPOSE, name, row));
    }
    try {
      await handler(ctx, next);
    } catch (error) {
      await releaseKey(db, keyed);
      throw error;
    }
    await keepAnswer(db, keyed, {
      status: ctx.status,
      ...secrets.seal(PURPOSE, name, Buffer.from(JSON.stringify(ctx.body))),
    });
  };
}

function replay(ctx: Context, kept: KeptRow | undefined, request: Buffer, open: (row: KeptRow) => Buffer): void {
  // Gone between the two statements: the first request has just failed.
  if (kept === undefined || (kept.status === null && kept.ageSeconds < PATIENCE_SECONDS)) {
    throw new Problem(
      'idempotency-unfinished',
      'The first request with this key is under way; ask again in a moment.',
      {
        headers: { 'Retry-After': '1' },
      },
    );
  }
  if (!kept.request.equals(request)) {
    throw new Problem(
      'idempotency-conflict',
      'Send a new Idempotency-Key with a new request, the same with the same one.',
    );
  }
  if (kept.status === null) {
    throw new Problem(
      'idempotency-unfinished',
      'The first request with this key was cut off; look whether it was done, and use a new key.',
    );
  }
  ctx.status = kept.status;
  ctx.set({ 'Cache-Control': 'no-store', 'Idempotency-Replayed': 'true' });
  ctx.body = JSON.parse(open(kept).toString('utf8'));
}

function nameOf({ principalId, route, key }: KeyedRequest): string {
  return `${principalId} ${route} ${key.toString('hex')}`;
}
