/** Entity tags of what the API shows (RFC 9110, section 8.8.3): a hash of the representation, so that equal states have equal tags. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { Problem } from './problems.ts';

export function etagOf(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
}

/**
 * Compares what If-Match said with what is there now, under the lock of who is about to change it.
 * @throws {Problem} precondition-failed
 */
export function requireMatch(header: string, shape: z.ZodType, current: unknown): void {
  if (header === '' || header.trim() === '*') return;
  const tag = etagOf(JSON.stringify(shape.parse(current)));
  if (listed(header).includes(tag)) return;
  throw new Problem('precondition-failed', 'It has changed since; get it again and decide anew.', {
    headers: { ETag: tag },
  });
}

/** Whether If-None-Match names it; tags are compared weakly there. */
export function isKnown(header: string, tag: string): boolean {
  return header.trim() === '*' || listed(header).some((each) => each.replace(/^W\//, '') === tag);
}

function listed(header: string): string[] {
  return header.split(',').map((each) => each.trim());
}
