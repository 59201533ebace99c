/** Webhooks: set up, changed and removed by owners of a project, or for the whole hub by administrators. */
import { randomUUID } from 'node:crypto';
import { recordChange, type Actor } from '../../auth/events.ts';
import type { Principal } from '../../auth/principal.ts';
import type { Secrets } from '../../auth/secrets.ts';
import type { Database, Queryable, Transaction } from '../../db/database.ts';
import { isAskable } from '../../http/outbound.ts';
import { dropPending } from '../queries/webhook-deliveries.ts';
import * as rows from '../queries/webhooks.ts';
import { WebhookError } from './errors.ts';
import { faultOf } from './filter.ts';
import { newSecret } from './secret.ts';

export type Webhook = rows.WebhookRow;

export interface WebhookDoor {
  readonly db: Database;
  readonly secrets: Secrets;
}

/** Who sets a hook up. */
export interface Setter {
  readonly principal: Principal;
  readonly actor: Actor;
  /** An administrator of the hub, who may allow http and private addresses. */
  readonly mayTrust: boolean;
}

export interface WebhookRequest {
  readonly url: string;
  readonly description?: string | undefined;
  readonly types: readonly string[];
  readonly pathGlob?: string | null | undefined;
  readonly tagGlob?: string | null | undefined;
  readonly kinds?: readonly string[] | null | undefined;
  readonly http?: boolean | undefined;
  readonly privateAddresses?: boolean | undefined;
  readonly ca?: string | null | undefined;
}

export type WebhookChange = { readonly [Key in keyof WebhookRequest]?: WebhookRequest[Key] | undefined } & {
  readonly disabled?: boolean | undefined;
};

/** Of one project, or of the hub. */
export const MOST_WEBHOOKS = 50;
const PURPOSE = 'webhook';
const DISABLED_BY_HAND = 'The webhook was disabled.';

/**
 * The secret is in this answer and in no other.
 * @param projectId null: a hook of the hub
 * @throws {WebhookError} url-refused, filter-invalid, trust-needed, owner-unfit, too-many
 */
export async function createWebhook(
  { db, secrets }: WebhookDoor,
  projectId: number | null,
  request: WebhookRequest,
  setter: Setter,
): Promise<{ readonly webhook: Webhook; readonly secret: string }> {
  const { key, text } = newSecret();
  const fields = fieldsOf(EMPTY, request, setter);
  const webhook = await db.transaction(async (tx) => {
    const secretId = await secrets.put(tx, PURPOSE, randomUUID(), key);
    const made = await rows.insertWebhook(tx, projectId, fields, secretId, MOST_WEBHOOKS);
    if (made === undefined) {
      throw new WebhookError('too-many', `There are ${MOST_WEBHOOKS} webhooks here, which is as many as there may be.`);
    }
    await recordOf(tx, setter.actor, made, 'webhook.created', describeWebhook(made));
    return made;
  });
  return { webhook, secret: text };
}

/** In the order in which they were made. */
export function listWebhooks(
  db: Queryable,
  projectId: number | null,
  page: { readonly after: number; readonly limit: number },
): Promise<Webhook[]> {
  return rows.selectWebhooks(db, projectId, page.after, page.limit);
}

/** @throws {WebhookError} not-found, also for one of another project */
export async function requireWebhook(db: Queryable, projectId: number | null, id: number): Promise<Webhook> {
  const webhook = await rows.selectWebhook(db, projectId, id);
  if (webhook === undefined) throw missing();
  return webhook;
}

/**
 * Whoever changes what a hook is told, or whom it tells, becomes its owner: from then on their rights count.
 * @param expect looks at the hook as it is, under its lock; what it throws is thrown
 * @throws {WebhookError} not-found, and what `createWebhook` throws
 */
export async function changeWebhook(
  { db }: WebhookDoor,
  where: { readonly projectId: number | null; readonly id: number },
  change: WebhookChange,
  setter: Setter,
  expect: (before: Webhook) => void = () => {},
): Promise<Webhook> {
  return db.transaction(async (tx) => {
    const before = await lockWebhook(tx, where.projectId, where.id);
    expect(before);
    const fields = fieldsOf(before, change, setter);
    const disabled = change.disabled ?? before.disabledAt !== null;
    const after = await rows.updateWebhook(tx, before.id, fields, disabled);
    if (disabled) await dropPending(tx, before.id, DISABLED_BY_HAND);
    await recordOf(tx, setter.actor, after, 'webhook.changed', {
      before: describeWebhook(before),
      after: describeWebhook(after),
    });
    return after;
  });
}

/** With everything that waits, and its history. @throws {WebhookError} not-found */
export async function removeWebhook(
  db: Database,
  where: { readonly projectId: number | null; readonly id: number },
  actor: Actor,
  expect: (before: Webhook) => void = () => {},
): Promise<void> {
  await db.transaction(async (tx) => {
    const before = await lockWebhook(tx, where.projectId, where.id);
    expect(before);
    await rows.deleteWebhook(tx, before.id);
    await recordOf(tx, actor, before, 'webhook.removed', describeWebhook(before));
  });
}

/** A new secret; the one before signs beside it for `overlapSeconds`. @throws {WebhookError} not-found */
export async function rotateSecret(
  { db, secrets }: WebhookDoor,
  where: { readonly projectId: number | null; readonly id: number },
  overlapSeconds: number,
  actor: Actor,
): Promise<{ readonly webhook: Webhook; readonly secret: string }> {
  const { key, text } = newSecret();
  const webhook = await db.transaction(async (tx) => {
    const before = await lockWebhook(tx, where.projectId, where.id);
    const older = await rows.selectPreviousSecret(tx, before.id);
    const secretId = await secrets.put(tx, PURPOSE, randomUUID(), key);
    const after = await rows.updateSecret(tx, before.id, secretId, overlapSeconds);
    if (older !== null) await secrets.remove(tx, older);
    const data = { ...describeWebhook(after), overlap_seconds: overlapSeconds };
    await recordOf(tx, actor, after, 'webhook.secret-rotated', data);
    return after;
  });
  return { webhook, secret: text };
}

/** @throws {WebhookError} not-found */
export async function lockWebhook(tx: Transaction, projectId: number | null, id: number): Promise<Webhook> {
  const webhook = await rows.lockWebhook(tx, projectId, id);
  if (webhook === undefined) throw missing();
  return webhook;
}

function missing(): WebhookError {
  return new WebhookError('not-found', 'There is no such webhook.');
}

const EMPTY: rows.WebhookFields = {
  url: '',
  description: '',
  types: [],
  pathGlob: null,
  tagGlob: null,
  kinds: null,
  http: false,
  privateAddresses: false,
  ca: null,
  ownerId: null,
  ownerLimits: null,
};

/** What the hook is from now on. */
function fieldsOf(before: rows.WebhookFields, change: WebhookChange, setter: Setter): rows.WebhookFields {
  const { principal, mayTrust } = setter;
  const given = Object.fromEntries(
    Object.entries(change).filter(([key, value]) => value !== undefined && key !== 'disabled'),
  );
  const fields: rows.WebhookFields = { ...before, ...given };
  const fault = faultOf(fields);
  if (fault !== undefined) throw new WebhookError('filter-invalid', fault);
  if (!mayTrust) {
    if (change.http === true || change.privateAddresses === true) {
      throw new WebhookError(
        'trust-needed',
        'Only an administrator of the hub allows a webhook http or private addresses.',
      );
    }
    // What was allowed was allowed for the URL that it had.
    if (fields.url !== before.url) Object.assign(fields, { http: false, privateAddresses: false });
  }
  if (!isAskable(fields.url, trustOf(fields))) {
    throw new WebhookError(
      'url-refused',
      'Give an https:// URL at a public address, without credentials; http and private addresses are for administrators to allow.',
    );
  }
  const keys = Object.keys(given).filter((key) => key !== 'description');
  if (keys.length === 0 && change.disabled !== false) return fields;
  if (principal.kind === 'ci_session' || principal.kind === 'run') {
    throw new WebhookError(
      'owner-unfit',
      'A build is over soon, and its rights with it; let a person or a robot do this.',
    );
  }
  return { ...fields, ownerId: principal.id, ownerLimits: principal.limits ?? null };
}

function trustOf({ http, privateAddresses }: rows.WebhookFields) {
  return { http, privateAddresses };
}

/** For events. The URL's path may hold a token of the receiver's, so only its origin is told. */
export function describeWebhook(row: Webhook): Record<string, unknown> {
  return {
    webhook: String(row.id),
    origin: new URL(row.url).origin,
    description: row.description,
    types: row.types,
    path_glob: row.pathGlob,
    tag_glob: row.tagGlob,
    kinds: row.kinds,
    http: row.http,
    private_addresses: row.privateAddresses,
    ca: row.ca !== null,
    owner: row.owner,
    disabled: row.disabledAt !== null,
  };
}

/** What somebody did to a webhook, for the audit trail. */
export function recordOf(
  tx: Transaction,
  actor: Actor,
  { projectId }: Webhook,
  type: string,
  data: Record<string, unknown>,
): Promise<void> {
  return recordChange(tx, actor, { type, ...(projectId !== null && { projectId }), data });
}
