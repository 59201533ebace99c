/**
 * Secrets and signatures as Standard Webhooks has them (github.com/standard-webhooks, specification, "Signature scheme"): HMAC-SHA256
 * over `id.timestamp.body`, so that neither an old message nor another's can be passed off as a new one.
 */
import { createHmac, randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';

/** What people are shown once; the key itself is what is kept. */
export function newSecret(): { readonly key: Buffer; readonly text: string } {
  const key = randomBytes(32);
  return { key, text: `${PREFIX}${key.toString('base64')}` };
}

/** @param keys the one that signs, and during a rotation the one before */
export function signedHeaders(
  messageId: string,
  body: string,
  keys: readonly Buffer[],
  seconds: number = Math.floor(Date.now() / 1000),
): Record<string, string> {
  const id = `msg_${messageId}`;
  const signed = `${id}.${seconds}.${body}`;
  const signatures = keys.map((key) => `v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signatures.join(' ') };
}
