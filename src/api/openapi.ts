/** OpenAPI 3.1 out of the route table. */
import { z } from 'zod';
import type { ApiRoute } from './call.ts';
import type { ApiPolicy } from './guard.ts';
import { CATALOGUE, PROBLEM_TYPE } from './problems.ts';

type Json = Record<string, unknown>;

/** Of the document; independent of the hub's version. */
const VERSION = '1';

export function openApi(routes: readonly ApiRoute[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = `/api/v1${route.path.replaceAll(/:([a-z]+)/g, '{$1}')}`;
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Berth',
      version: VERSION,
      description: 'People, tokens, projects and rights of a Berth hub. What is in repositories is served by /v2.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: {
        basic: {
          type: 'http',
          scheme: 'basic',
          description: 'User name and password, or a personal token as the password.',
        },
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'A personal token, berth_pat_…, or a token of a robot, berth_bot_….',
        },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-berth_session',
          description: 'Of a browser that signed in at /api/v1/session; changes need the header X-Berth-CSRF too.',
        },
      },
      schemas: { Problem: problemSchema() },
      responses: {
        Problem: {
          description: 'What went wrong and what to do (RFC 9457).',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

const SIGNED_IN: Json[] = [{ basic: [] }, { token: [] }, { session: [] }];

const SECURITY: Record<ApiPolicy['kind'], Json[]> = {
  anyone: [{}, ...SIGNED_IN],
  'sign-in': [{}],
  'signed-in': SIGNED_IN,
  password: [{ basic: [] }, { session: [] }],
  'hub-admin': SIGNED_IN,
  project: [{}, ...SIGNED_IN],
};

function operation(route: ApiRoute): Json {
  const { id, summary, policy, path, query, body, status, answer, lines } = route;
  return {
    operationId: id,
    summary,
    'x-berth-policy': policy.kind === 'project' ? `project:${policy.action}` : policy.kind,
    security: SECURITY[policy.kind],
    parameters: [...pathParameters(path), ...queryParameters(query), ...headerParameters(route)],
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } },
    }),
    responses: {
      [status]: lines
        ? { description: summary, content: { 'application/jsonl': { schema: { type: 'string' } } } }
        : answer === undefined
          ? { description: 'Done.' }
          : { description: summary, content: { 'application/json': { schema: schemaOf(answer, 'output') } } },
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/:([a-z]+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function headerParameters({ status, conditional }: ApiRoute): Json[] {
  const header = (name: string, description: string): Json => ({
    name,
    in: 'header',
    description,
    required: false,
    schema: { type: 'string' },
  });
  return [
    ...(status === 201
      ? [header('Idempotency-Key', 'The same request with the same key is done once, and answered the same for a day.')]
      : []),
    ...(conditional ? [header('If-Match', 'The ETag of what is to be changed; 412 when it has changed since.')] : []),
  ];
}

function queryParameters(query: z.ZodType | undefined): Json[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(query, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    ...(description !== undefined && { description }),
    required: required.includes(name),
    schema,
  }));
}

function schemaOf(shape: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, { io }) as Json;
  return schema;
}

function problemSchema(): Json {
  return {
    type: 'object',
    required: ['type', 'title', 'status', 'detail', 'request_id'],
    properties: {
      type: { type: 'string', enum: Object.keys(CATALOGUE).map((name) => PROBLEM_TYPE + name) },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string', description: 'What was wrong this time, and what to do.' },
      request_id: { type: 'string', description: "Finds the request in the hub's log." },
      errors: {
        type: 'array',
        items: {
          type: 'object',
          required: ['at', 'message'],
          properties: { at: { type: 'string' }, message: { type: 'string' } },
        },
      },
    },
  };
}
