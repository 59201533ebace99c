/** What every answer under /v2 must keep to, asserted in one place. */
import { expect } from 'vitest';
import type { Answer } from './oci-client-http.ts';

/** The codes that the specification knows; anything else breaks strict clients. */
const CODES = [
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
] as const;

export type Code = (typeof CODES)[number];

export interface OciError {
  readonly code: Code;
  readonly message: string;
  readonly detail?: unknown;
}

/** The answer is a refusal in the specification's form; returns its errors. */
export function expectError(
  answer: Answer,
  status: number | readonly number[],
  code?: Code | readonly Code[],
): OciError[] {
  const statuses = typeof status === 'number' ? [status] : status;
  expect(statuses, `status of ${answer.body.toString('utf8', 0, 300)}`).toContain(answer.status);
  expect(answer.header('Content-Type')).toMatch(/^application\/json(;|$)/);
  const { errors } = answer.json<{ errors: OciError[] }>();
  expect(errors.length).toBeGreaterThan(0);
  for (const error of errors) {
    expect(CODES).toContain(error.code);
    expect(error.message.length, 'a sentence').toBeGreaterThan(10);
  }
  if (code !== undefined) expect(typeof code === 'string' ? [code] : code).toContain(errors[0]?.code);
  const id = answer.header('X-Request-Id');
  expect(id, 'X-Request-Id').toBeTruthy();
  expect(JSON.stringify(errors), 'the body repeats the request id').toContain(id);
  return errors;
}

/** A HEAD cannot carry a body; its refusal is the status alone. */
export function expectBareStatus(answer: Answer, status: number): void {
  expect(answer.status).toBe(status);
  expect(answer.body.length).toBe(0);
}
