/** What was sent and what waits, for people: lists, trying a hook out, sending once more, and what is kept. */
import { randomUUID } from 'node:crypto';
import type { Actor } from '../../auth/events.ts';
import type { Database, Queryable, Transaction } from '../../db/database.ts';
import * as rows from '../queries/webhook-deliveries.ts';
import { deleteOldSecrets } from '../queries/webhooks.ts';
import { WebhookError } from './errors.ts';
import { MOST_PENDING } from './fan-out.ts';
import { pingOf } from './message.ts';
import { lockWebhook, recordOf, requireWebhook, type Webhook } from './webhooks.ts';

export type Delivery = rows.DeliveryRow;
export type DeliveryWithPayload = Delivery & { readonly payload: string };

export interface HookPlace {
  readonly projectId: number | null;
  readonly id: number;
}

/** Newest first. @throws {WebhookError} not-found */
export async function listDeliveries(
  db: Queryable,
  { projectId, id }: HookPlace,
  page: { readonly state: rows.DeliveryState | undefined; readonly before: number | undefined; readonly limit: number },
): Promise<Delivery[]> {
  const hook = await requireWebhook(db, projectId, id);
  return rows.selectDeliveries(db, hook.id, page.state, page.before, page.limit);
}

/** @throws {WebhookError} not-found, also for one of another hook */
export async function requireDelivery(
  db: Queryable,
  { projectId, id }: HookPlace,
  deliveryId: number,
): Promise<DeliveryWithPayload> {
  const hook = await requireWebhook(db, projectId, id);
  const delivery = await rows.selectDelivery(db, hook.id, deliveryId);
  if (delivery === undefined) throw missing();
  return delivery;
}

/** Sends a message that is about nothing. @throws {WebhookError} not-found, disabled, too-many */
export async function testWebhook(
  db: Database,
  { projectId, id }: HookPlace,
  source: string,
  actor: Actor,
): Promise<Delivery> {
  return db.transaction(async (tx) => {
    const hook = await lockEnabled(tx, projectId, id);
    const ping = pingOf(hook.id, randomUUID(), new Date(), source);
    const delivery = await rows.insertPing(tx, hook.id, ping.type, ping.text);
    await recordOf(tx, actor, hook, 'webhook.tested', { webhook: String(hook.id), delivery: String(delivery.id) });
    return delivery;
  });
}

/**
 * Sends the same message once more, under the same webhook-id, and begins its attempts anew. One that waits is sent now.
 * @throws {WebhookError} not-found, disabled, too-many
 */
export async function redeliver(
  db: Database,
  { projectId, id }: HookPlace,
  deliveryId: number,
  actor: Actor,
): Promise<Delivery> {
  return db.transaction(async (tx) => {
    const hook = await lockEnabled(tx, projectId, id);
    const delivery = await rows.renewDelivery(tx, hook.id, deliveryId);
    if (delivery === undefined) throw missing();
    await recordOf(tx, actor, hook, 'webhook.redelivered', { webhook: String(hook.id), delivery: String(deliveryId) });
    return delivery;
  });
}

async function lockEnabled(tx: Transaction, projectId: number | null, id: number): Promise<Webhook> {
  const hook = await lockWebhook(tx, projectId, id);
  if (hook.disabledAt !== null)
    throw new WebhookError('disabled', 'Enable the webhook first: PATCH it with {"disabled":false}.');
  if ((await rows.countPending(tx, hook.id, MOST_PENDING)) >= MOST_PENDING) {
    throw new WebhookError('too-many', `${MOST_PENDING} messages of this webhook are waiting already.`);
  }
  return hook;
}

function missing(): WebhookError {
  return new WebhookError('not-found', 'There is no such delivery; the last thousand of 30 days are kept.');
}

const KEEP_DAYS = 30;
const KEEP_MOST = 1_000;
const BATCH = 1_000;

/** Messages that were over a month ago or are not among a hook's last thousand, and secrets that sign no more. */
export async function pruneDeliveries(db: Database): Promise<void> {
  while ((await rows.deleteExpired(db, KEEP_DAYS, BATCH)) === BATCH);
  while ((await rows.deleteSurplus(db, KEEP_MOST, BATCH)) >= BATCH);
  await deleteOldSecrets(db);
}
