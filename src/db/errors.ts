/** Postgres errors, told apart by what a caller can do about them. */

/** Postgres cannot be reached, is starting, stopping, read-only or overloaded. Becomes 503 with Retry-After. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
}

/**
 * SQLSTATE classes and codes of an outage: connection exceptions (08), insufficient resources (53), operator
 * intervention (57), read-only transaction (25006), lock and statement timeouts (55P03, 57014).
 */
const OUTAGE = /^(08...|53...|57P..|57014|25006|55P03|58...)$/;
const SOCKET = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/;

export function translate(error: unknown): unknown {
  if (error instanceof DatabaseUnavailable) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const outage =
    (typeof code === 'string' && (OUTAGE.test(code) || SOCKET.has(code))) ||
    (typeof message === 'string' && MESSAGES.test(message));
  return outage ? new DatabaseUnavailable(`Postgres is unavailable: ${String(message)}`, { cause: error }) : error;
}

/** unique_violation */
export function isUniqueViolation(error: unknown): boolean {
  return (error as { code?: unknown }).code === '23505';
}

/** foreign_key_violation or restrict_violation */
export function isForeignKeyViolation(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === '23503' || code === '23001';
}
