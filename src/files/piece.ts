/** `Content-Range: bytes N-M/T` of a PUT, as `curl -C N -T` sends it: a piece of a file (RFC 9110 section 14.5). */
import type { Context } from 'koa';
import { FileError } from './errors.ts';

export interface Piece {
  readonly start: number;
  readonly end: number;
  /** Undefined for `*`: the piece is the last. */
  readonly total: number | undefined;
}

/** @throws {FileError} when it cannot be read */
export function parsePiece(ctx: Context): Piece | undefined {
  const header = ctx.get('Content-Range');
  if (header === '') return undefined;
  const parts = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header.trim());
  const [start, end] = [Number(parts?.[1]), Number(parts?.[2])];
  const total = parts?.[3] === '*' ? undefined : Number(parts?.[3]);
  if (!parts || end < start || (total !== undefined && end >= total)) {
    throw new FileError(400, 'request-invalid', 'Content-Range is bytes <first>-<last>/<size of the file>');
  }
  return { start, end, total };
}
