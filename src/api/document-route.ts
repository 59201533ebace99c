/** The API's description of itself. */
import { z } from 'zod';
import { define, type ApiRoute } from './call.ts';
import { anyone } from './guard.ts';

export function documentRoute(document: Record<string, unknown>): ApiRoute {
  return define('GET', '/openapi.json', {
    id: 'openapi',
    policy: anyone,
    summary: 'This document',
    answer: z.record(z.string(), z.unknown()),
    run: async () => document,
  });
}
