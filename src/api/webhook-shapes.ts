/** Shapes of webhooks and of what they were sent. */
import { z } from 'zod';
import type { Delivery, DeliveryWithPayload } from '../registry/webhooks/deliveries.ts';
import { WITHHELD, type Withheld } from '../registry/webhooks/rights.ts';
import type { Webhook } from '../registry/webhooks/webhooks.ts';
import { pageQuery } from './pages.ts';
import { certificate } from './provider-shapes.ts';
import { id, text, time } from './shapes.ts';

const KINDS = ['image', 'index', 'chart', 'file', 'other'] as const;
const STATES = ['pending', 'delivered', 'failed', 'dropped'] as const;

const url = text(2_000).describe(
  'Where messages are posted to: https, at a public address, unless an administrator allows more.',
);
const description = z
  .string()
  .max(500)
  .regex(/^\P{Cc}*$/u, 'Control characters are not allowed');
const types = z
  .array(text(100))
  .min(1)
  .max(50)
  .describe('Event types such as manifest.pushed, with * for any run of characters: manifest.*; * is all of them.');
const pathGlob = text(255).describe(
  'Over paths inside the project, or of the hub: * within a segment, ** across them.',
);
const tagGlob = text(128).describe('Events about a tag that it matches; * is any run of characters.');
const kinds = z.array(z.enum(KINDS)).min(1).max(KINDS.length).describe('Events about artifacts of these kinds.');
const trust = {
  http: z.boolean().optional().describe('Unencrypted; for administrators to allow.'),
  private_addresses: z.boolean().optional().describe("At the hub's own network; for administrators to allow."),
};

export const newWebhook = z.strictObject({
  url,
  types,
  description: description.optional(),
  path_glob: pathGlob.optional(),
  tag_glob: tagGlob.optional(),
  kinds: kinds.optional(),
  ca: certificate.optional(),
  ...trust,
});
export const webhookChange = z.strictObject({
  url: url.optional(),
  types: types.optional(),
  description: description.optional(),
  path_glob: pathGlob.nullable().optional(),
  tag_glob: tagGlob.nullable().optional(),
  kinds: kinds.nullable().optional(),
  ca: certificate.nullable().optional(),
  disabled: z
    .boolean()
    .optional()
    .describe('While true nothing is sent and nothing is queued; what waited is dropped.'),
  ...trust,
});
export const webhook = z.object({
  id,
  url: z.string(),
  description: z.string(),
  types: z.array(z.string()),
  path_glob: z.string().optional(),
  tag_glob: z.string().optional(),
  kinds: z.array(z.string()).optional(),
  http: z.boolean(),
  private_addresses: z.boolean(),
  ca: z.string().optional(),
  owner: z
    .string()
    .optional()
    .describe('Whose rights decide what it is told: who set it up or changed it last. Absent: gone.'),
  disabled: z.boolean(),
  disabled_at: time.optional(),
  disabled_reason: z
    .enum(['request', 'failing', 'gone'])
    .optional()
    .describe('By somebody; after five days of failures alone; since the receiver answered 410.'),
  failing_since: time.optional().describe('The first failure since the last success.'),
  delivered_at: time.optional().describe('The last success, to a few seconds.'),
  dropped: z.int().describe('Messages that went since more than 1,000 were waiting.'),
  withheld: z
    .object({ count: z.int(), at: time, reason: z.string() })
    .optional()
    .describe('Events that matched and that its owner may not see.'),
  previous_secret_until: time.optional().describe('The secret before the last rotation signs as well until then.'),
  created_at: time,
});
const secret = z.string().describe('For verifying signatures (Standard Webhooks). Shown this once.');
export const createdWebhook = webhook.extend({ secret });
export const rotateQuery = z.strictObject({
  overlap_hours: z.coerce
    .number()
    .int()
    .min(0)
    .max(168)
    .default(24)
    .describe('For how long the secret until now signs as well; 0 for one that has leaked.'),
});

export const deliveriesQuery = pageQuery.extend({ state: z.enum(STATES).optional() });
export const delivery = z.object({
  id,
  message_id: z.string().describe('The header webhook-id.'),
  event_id: id.optional().describe('Absent when somebody tried the webhook out.'),
  type: z.string(),
  state: z.enum(STATES),
  attempts: z.int(),
  next_attempt_at: time.optional(),
  last_attempt_at: time.optional(),
  status: z.int().optional().describe('Of the last answer, if there was one.'),
  error: z.string().optional().describe('What was wrong last. What the receiver says in its body is not kept.'),
  duration_ms: z.int().optional(),
  created_at: time,
  finished_at: time.optional(),
});
export const deliveryWithPayload = delivery.extend({
  payload: z.record(z.string(), z.unknown()).describe('The message, as it is sent.'),
});

export const showWebhook = (row: Webhook): z.input<typeof webhook> => ({
  id: String(row.id),
  url: row.url,
  description: row.description,
  types: row.types,
  ...(row.pathGlob !== null && { path_glob: row.pathGlob }),
  ...(row.tagGlob !== null && { tag_glob: row.tagGlob }),
  ...(row.kinds !== null && { kinds: row.kinds }),
  http: row.http,
  private_addresses: row.privateAddresses,
  ...(row.ca !== null && { ca: row.ca }),
  ...(row.owner !== null && { owner: row.owner }),
  disabled: row.disabledAt !== null,
  ...(row.disabledAt && { disabled_at: row.disabledAt.toISOString() }),
  ...(row.disabledReason && { disabled_reason: row.disabledReason }),
  ...(row.failingSince && { failing_since: row.failingSince.toISOString() }),
  ...(row.deliveredAt && { delivered_at: row.deliveredAt.toISOString() }),
  dropped: row.dropped,
  ...(row.withheldAt && {
    withheld: {
      count: row.withheld,
      at: row.withheldAt.toISOString(),
      reason: WITHHELD[row.withheldReason as Withheld],
    },
  }),
  ...(row.previousSecretUntil && { previous_secret_until: row.previousSecretUntil.toISOString() }),
  created_at: row.createdAt.toISOString(),
});

export const showDelivery = (row: Delivery): z.input<typeof delivery> => ({
  id: String(row.id),
  message_id: `msg_${row.messageId}`,
  ...(row.eventId !== null && { event_id: String(row.eventId) }),
  type: row.eventType,
  state: row.state,
  attempts: row.attempts,
  ...(row.state === 'pending' && { next_attempt_at: row.nextAttemptAt.toISOString() }),
  ...(row.lastAttemptAt && { last_attempt_at: row.lastAttemptAt.toISOString() }),
  ...(row.lastStatus !== null && { status: row.lastStatus }),
  ...(row.lastError !== null && { error: row.lastError }),
  ...(row.lastDurationMs !== null && { duration_ms: row.lastDurationMs }),
  created_at: row.createdAt.toISOString(),
  ...(row.finishedAt && { finished_at: row.finishedAt.toISOString() }),
});

export const showDeliveryWithPayload = (row: DeliveryWithPayload): z.input<typeof deliveryWithPayload> => ({
  ...showDelivery(row),
  payload: JSON.parse(row.payload) as Record<string, unknown>,
});
