/** What a route of the API is, and how a request becomes a checked call of its handler. */
import type { Context, Middleware } from 'koa';
import type { z } from 'zod';
import type { Actor } from '../auth/events.ts';
import type { Principal, Target } from '../auth/principal.ts';
import { readAll } from '../http/body.ts';
import type { Method, Route } from '../http/table.ts';
import type { ApiPolicy } from './guard.ts';
import { writeNext } from './pages.ts';
import { Problem, type Fault } from './problems.ts';

type Shape = z.ZodType | undefined;
type Parsed<S extends Shape> = S extends z.ZodType ? z.output<S> : undefined;

export interface Call<Q extends Shape, B extends Shape> {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Parsed<Q>;
  readonly body: Parsed<B>;
  readonly principal: Principal;
  /** The principal, as events name it. */
  readonly actor: Actor;
  /** The project that the policy is about, or, for other policies, nothing but the principal's epoch. */
  readonly target: Target;
}

/** What every route has; `define` checks that the handler fits. */
export interface ApiRoute {
  readonly id: string;
  readonly method: Method;
  /** Below /api/v1. */
  readonly path: string;
  readonly policy: ApiPolicy;
  /** One line for the documentation. */
  readonly summary: string;
  readonly query: Shape;
  readonly body: Shape;
  readonly status: 200 | 201 | 204;
  /** Undefined: no body. */
  readonly answer: Shape;
  readonly handler: Middleware;
}

interface Definition<Q extends Shape, B extends Shape, A extends Shape> {
  readonly id: string;
  readonly policy: ApiPolicy;
  readonly summary: string;
  readonly query?: Q;
  readonly body?: B;
  readonly status?: 200 | 201;
  /** What leaves the hub: fields that are not in it are dropped, ones that are missing are a 500. */
  readonly answer?: A;
  readonly run: (call: Call<Q, B>) => Promise<A extends z.ZodType ? z.input<A> : void>;
}

/** A cursor for the next page, beside the answer; becomes the header Link. */
export const NEXT = Symbol('next');

/** Where the answer lives that `latest` or a range came to; becomes the header Content-Location. */
export const CONTENT_LOCATION = Symbol('content location');

const BODY_LIMIT = 2 ** 20;
const PACE = { idleSeconds: 30, minRate: 100 };

export function define<Q extends Shape = undefined, B extends Shape = undefined, A extends Shape = undefined>(
  method: Method,
  path: string,
  definition: Definition<Q, B, A>,
): ApiRoute {
  const { id, policy, summary, query, body, answer, run } = definition;
  const status = answer === undefined ? 204 : (definition.status ?? 200);
  const handler: Middleware = async (ctx) => {
    const { principal, target } = ctx.state as { principal: Principal; target: Target };
    const result: unknown = await run({
      params: ctx['params'] as Record<string, string>,
      query: parse(query, ctx.query, 'query') as Parsed<Q>,
      body: body && (parse(body, await readJson(ctx), 'body') as Parsed<B>),
      principal,
      target,
      actor: { id: principal.id, requestId: ctx.state['requestId'] as string },
    } as Call<Q, B>);
    ctx.set('Cache-Control', 'no-store');
    ctx.status = status;
    if (answer === undefined) return;
    const location = (result as { [CONTENT_LOCATION]?: string })[CONTENT_LOCATION];
    if (location !== undefined) ctx.set('Content-Location', location);
    writeNext(ctx, (result as { next_cursor?: string }).next_cursor);
    ctx.body = answer.parse(result);
  };
  return { id, method, path, policy, summary, query, body, status, answer, handler };
}

export function toRoute({ id, method, path, policy, handler }: ApiRoute): Route<ApiPolicy> {
  return { id: `api-${id}`, method, path: `/api/v1${path}`, policy, handler };
}

function parse(shape: Shape, value: unknown, where: 'query' | 'body'): unknown {
  if (shape === undefined) return undefined;
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }): Fault => ({
    at: where === 'body' ? `/${path.map(String).join('/')}` : path.join('.'),
    message,
  }));
  throw new Problem('validation-failed', `Correct the ${where} as listed; docs/api.md has its shape.`, { faults });
}

async function readJson(ctx: Context): Promise<unknown> {
  if (!ctx.is('application/json')) {
    throw new Problem('unsupported-media-type', 'Send JSON with Content-Type: application/json.');
  }
  const bytes = await readAll(ctx, BODY_LIMIT, PACE);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    throw new Problem('malformed-json', 'The body could not be read as UTF-8 JSON.');
  }
}
