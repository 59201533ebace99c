/** What a route of the API is, and how a request becomes a checked call of its handler. */
import type { Readable } from 'node:stream';
import type { Context, Middleware } from 'koa';
import type { z } from 'zod';
import type { Actor } from '../auth/events.ts';
import type { Principal, Target } from '../auth/principal.ts';
import { readAll } from '../http/body.ts';
import type { Method, Route } from '../http/table.ts';
import { etagOf, isKnown, requireMatch } from './etag.ts';
import { AmbiguousJson, parseStrictJson } from '../registry/json.ts';
import type { ApiPolicy } from './guard.ts';
import { writeNext } from './pages.ts';
import { notFound, Problem, type Fault } from './problems.ts';

type Shape = z.ZodType | undefined;
type Parsed<S extends Shape> = S extends z.ZodType ? z.output<S> : undefined;

export interface Call<Q extends Shape, B extends Shape> {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Parsed<Q>;
  readonly body: Parsed<B>;
  readonly principal: Principal;
  /** The principal, as events name it. */
  readonly actor: Actor;
  /** For what is about to be changed, under its lock: fails unless it is what the header If-Match names, if there is one. */
  readonly expect: (shape: z.ZodType, current: unknown) => void;
  /** For the few that read or set cookies. */
  readonly ctx: Context;
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
  readonly status: 200 | 201 | 202 | 204;
  /** Undefined: no body, or lines. */
  readonly answer: Shape;
  /** The answer is a stream of JSON, one value a line. */
  readonly lines: boolean;
  /** It calls `expect` with what it is about to change. */
  readonly conditional: boolean;
  readonly handler: Middleware;
}

interface Definition<Q extends Shape, B extends Shape, A extends Shape, L extends boolean> {
  readonly id: string;
  readonly policy: ApiPolicy;
  readonly summary: string;
  readonly query?: Q;
  readonly body?: B;
  readonly status?: 200 | 201 | 202;
  /** What leaves the hub: fields that are not in it are dropped, ones that are missing are a 500. */
  readonly answer?: A;
  readonly lines?: L;
  readonly conditional?: true;
  readonly run: (call: Call<Q, B>) => Promise<L extends true ? Readable : A extends z.ZodType ? z.input<A> : void>;
}

/** A cursor for the next page, beside the answer; becomes the header Link. */
export const NEXT = Symbol('next');

/** Where the answer lives that `latest` or a range came to; becomes the header Content-Location. */
export const CONTENT_LOCATION = Symbol('content location');

const BODY_LIMIT = 2 ** 20;
const BODY_DEPTH = 32;
const PACE = { idleSeconds: 30, minRate: 100 };

export function define<
  Q extends Shape = undefined,
  B extends Shape = undefined,
  A extends Shape = undefined,
  L extends boolean = false,
>(method: Method, path: string, definition: Definition<Q, B, A, L>): ApiRoute {
  const { id, policy, summary, query, body, answer, run, conditional = false } = definition;
  const lines = definition.lines ?? false;
  const status = answer === undefined && !lines ? 204 : (definition.status ?? 200);
  const handler: Middleware = async (ctx) => {
    const { principal, target } = ctx.state as { principal: Principal; target: Target };
    const params = ctx['params'] as Record<string, string>;
    // Nothing is called that, and Postgres takes no such text.
    if (Object.values(params).some((text) => text.includes('\0'))) throw notFound();
    const result: unknown = await run({
      ctx,
      params,
      query: parse(query, ctx.query, 'query') as Parsed<Q>,
      body: body && (parse(body, await readJson(ctx), 'body') as Parsed<B>),
      principal,
      target,
      expect: (shape, current) => requireMatch(ctx.get('If-Match'), shape, current),
      actor: { id: principal.id, requestId: ctx.state['requestId'] as string },
    } as Call<Q, B>);
    ctx.set('Cache-Control', 'no-store');
    ctx.status = status;
    if (lines) {
      ctx.type = 'application/jsonl';
      ctx.body = result;
      return;
    }
    if (answer === undefined) return;
    const location = (result as { [CONTENT_LOCATION]?: string })[CONTENT_LOCATION];
    if (location !== undefined) ctx.set('Content-Location', location);
    writeNext(ctx, (result as { next_cursor?: string }).next_cursor);
    show(ctx, answer.parse(result));
  };
  return { id, method, path, policy, summary, query, body, status, answer, lines, conditional, handler };
}

/** What is one thing has an entity tag; a page is none. */
function show(ctx: Context, answer: unknown): void {
  ctx.body = answer;
  if (ctx.method === 'POST' || (answer as { items?: unknown }).items !== undefined) return;
  const tag = etagOf(JSON.stringify(answer));
  ctx.set('ETag', tag);
  if ((ctx.method === 'GET' || ctx.method === 'HEAD') && isKnown(ctx.get('If-None-Match'), tag)) ctx.status = 304;
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

/** The body, read once whoever asks first. */
export async function readBytes(ctx: Context): Promise<Buffer> {
  const state = ctx.state as { body?: Buffer };
  state.body ??= await readAll(ctx, BODY_LIMIT, PACE);
  return state.body;
}

async function readJson(ctx: Context): Promise<unknown> {
  if (!ctx.is('application/json')) {
    throw new Problem('unsupported-media-type', 'Send JSON with Content-Type: application/json.');
  }
  const bytes = await readBytes(ctx);
  const document = parsed(bytes);
  if (!isWellFormed(document)) throw new Problem('malformed-json', 'A string has half of a surrogate pair.');
  return document;
}

function parsed(bytes: Buffer): unknown {
  try {
    return parseStrictJson(bytes, BODY_DEPTH);
  } catch (error) {
    if (!(error instanceof AmbiguousJson)) throw error;
    throw new Problem('malformed-json', `${error.message}.`);
  }
}

/** Whether all of it is text that Postgres takes, in columns and in events. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, inner]) => key.isWellFormed() && isWellFormed(inner));
}
