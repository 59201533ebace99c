/** Bodies of uploads are held in memory until the chart is stored; all of a process together stay below a limit. */
import type { Context } from 'koa';
import { BodyTooLarge, declaredLength, readBody, type BodyPace } from '../http/body.ts';
import { CHART_LIMITS } from '../registry/charts/limits.ts';
import { HelmError } from './errors.ts';

let held = 0;

export interface BodyInMemory extends Disposable {
  /** @throws {BodyTooLarge} beyond `limit` bytes @throws {HelmError} 503 when others fill the memory */
  chunks(limit: number): AsyncGenerator<Buffer>;
  all(limit: number): Promise<Buffer>;
}

/** Dispose of it when what was read is not needed any more. */
export function openBody(ctx: Context, pace: BodyPace): BodyInMemory {
  let size = 0;
  async function* chunks(limit: number): AsyncGenerator<Buffer> {
    if ((declaredLength(ctx.req) ?? 0) > limit) throw new BodyTooLarge(limit);
    for await (const chunk of readBody(ctx, pace)) {
      size += chunk.length;
      held += chunk.length;
      if (size > limit) throw new BodyTooLarge(limit);
      if (held > CHART_LIMITS.uploads) {
        throw new HelmError(503, 'The hub is busy with other uploads; try again in a moment', { 'Retry-After': '5' });
      }
      yield chunk;
    }
  }
  return {
    chunks,
    async all(limit) {
      const read: Buffer[] = [];
      for await (const chunk of chunks(limit)) read.push(chunk);
      return Buffer.concat(read);
    },
    [Symbol.dispose]() {
      held -= size;
      size = 0;
    },
  };
}
