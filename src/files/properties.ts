/** PATCH of a version: its properties. `{"properties": {"commit": "3f2a…", "old": null}}` */
import type { Middleware } from 'koa';
import { z } from 'zod';
import { readAll } from '../http/body.ts';
import { changeProperties } from '../registry/files/versions.ts';
import { FileError } from './errors.ts';
import { decideAgain, requireRepository, stateOf, type FilesDoor } from './guard.ts';
import { tagToWrite } from './write.ts';

const BODY_LIMIT = 2 ** 17;
const shape = z.strictObject({ properties: z.record(z.string(), z.string().nullable()) });

export function patchVersion(door: FilesDoor): Middleware {
  const { registry, pace } = door;
  return async (ctx) => {
    const { address } = stateOf(ctx);
    if (address.kind !== 'folder' || address.folder !== '') {
      throw new FileError(405, 'method-not-allowed', 'Properties belong to a version: /files/team/tools:1.0/');
    }
    const tag = tagToWrite(ctx);
    if (!ctx.is('application/json')) {
      throw new FileError(415, 'unsupported-media-type', 'Send JSON with Content-Type: application/json');
    }
    const { properties } = parse(await readAll(ctx, BODY_LIMIT, pace));
    await decideAgain(door, ctx, 'push');
    const { scene, principal, requestId } = stateOf(ctx);
    const repository = requireRepository(ctx);
    const after = await changeProperties(registry, { scene, repository, principal, requestId, tag }, properties);
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Content-Type', 'application/json');
    ctx.body = JSON.stringify({ repository: repository.path, version: tag, properties: after });
  };
}

function parse(bytes: Buffer): z.output<typeof shape> {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new FileError(400, 'request-invalid', 'The body could not be read as UTF-8 JSON');
  }
  const result = shape.safeParse(document);
  if (result.success) return result.data;
  throw new FileError(400, 'request-invalid', 'Send {"properties": {"name": "value"}}; null removes one');
}
