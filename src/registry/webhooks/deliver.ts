/** One attempt at one message: whether it may still be told, the request, and what is noted of it. */
import { recordChange } from '../../auth/events.ts';
import { OutboundError, UNRESOLVED } from '../../http/outbound.ts';
import { dropPending, settleDelivery, type ClaimedRow, type Settled } from '../queries/webhook-deliveries.ts';
import { selectPlace } from '../queries/webhook-outbox.ts';
import * as hooks from '../queries/webhooks.ts';
import { CONTENT_TYPE } from './message.ts';
import type { WebhookParts } from './parts.ts';
import { viewOf, WITHHELD, type Withheld } from './rights.ts';
import { FAILING_DAYS, judge, type Outcome } from './schedule.ts';
import { signedHeaders } from './secret.ts';
import { describeWebhook } from './webhooks.ts';

/** For everything: name, connection, TLS, request and the answer's head. */
const TIMEOUT_SECONDS = 15;
/** Who may not allow private addresses learns nothing about which names and machines there are. */
const NO_SUCH_TARGET =
  'The hub does not send to this URL: it has to be at a public address, or be allowed by an administrator.';
export const DISABLED = 'The webhook was disabled.';

/** @param stop when the process ends; the message is then somebody else's to send */
export async function deliver(parts: WebhookParts, claimed: ClaimedRow, stop: AbortSignal): Promise<void> {
  const { db, worker } = parts.registry;
  const hook = await hooks.selectEnabledOne(db, claimed.webhookId);
  // Disabled since: what waits was dropped with it.
  if (hook === undefined) return;
  const withheld = await whyWithheld(parts, hook, claimed);
  if (withheld !== undefined) {
    const dropped = { ...NOT_TRIED, state: 'dropped', error: WITHHELD[withheld] } as const;
    if (await settleDelivery(db, claimed.id, worker, dropped)) await hooks.noteWithheld(db, hook.id, 1, withheld);
    return;
  }
  const from = performance.now();
  const { outcome, error, hidden = false } = await send(parts, hook, claimed, stop);
  if (stop.aborted && outcome.status === undefined) return;
  // How long it took would tell which names there are.
  const durationMs = hidden ? 0 : Math.round(performance.now() - from);
  const { waitSeconds, state, pauseSeconds, gone } = judge(outcome, claimed.attempts + 1);
  const settled: Settled = { state, status: outcome.status ?? null, error, durationMs, waitSeconds, attempted: true };
  if (!(await settleDelivery(db, claimed.id, worker, settled))) return;
  if (state === 'delivered') await hooks.noteSuccess(db, hook.id);
  else await noteFailure(parts, hook.id, { gone, pauseSeconds });
}

const NOT_TRIED = { status: null, durationMs: 0, waitSeconds: 0, attempted: false };

/** The owner's rights may have changed since the message was made. One that tries the hook out holds nothing. */
async function whyWithheld(
  parts: WebhookParts,
  hook: hooks.WebhookRow,
  { eventId, repositoryId, whole }: ClaimedRow,
): Promise<Withheld | undefined> {
  if (eventId === null) return undefined;
  const { db } = parts.registry;
  const [owner] = hook.ownerId === null ? [] : await hooks.selectOwners(db, [hook.ownerId]);
  const place = await selectPlace(db, hook.projectId, repositoryId);
  const subject = { project: place?.project ?? null, repository: place?.repository ?? null };
  const seen = await viewOf(parts, { projectId: hook.projectId, owner, limits: hook.ownerLimits }, subject);
  if ('withheld' in seen) return seen.withheld;
  return whole && seen.view !== 'whole' ? 'no-right' : undefined;
}

async function send(
  { registry, secrets, outbound }: WebhookParts,
  hook: hooks.WebhookRow,
  { messageId, payload }: ClaimedRow,
  signal: AbortSignal,
): Promise<{ outcome: Outcome; error: string | null; hidden?: boolean }> {
  const ids = [hook.secretId, ...(hook.previousSecretId === null ? [] : [hook.previousSecretId])];
  const keys = await Promise.all(ids.map((id) => secrets.read(registry.db, id)));
  const { http, privateAddresses, ca } = hook;
  try {
    const answer = await outbound.send(hook.url, {
      method: 'POST',
      headers: { 'Content-Type': CONTENT_TYPE, ...signedHeaders(messageId, payload, keys) },
      body: payload,
      trust: { http, privateAddresses, ...(ca !== null && { ca }) },
      seconds: TIMEOUT_SECONDS,
      signal,
    });
    // The status is the answer. A body may be endless, and what an inside service says is not for the owner of a hook to read.
    answer.close();
    const { status } = answer;
    const retryAfter = answer.headers['retry-after']?.[0];
    return { outcome: { status, retryAfter }, error: status >= 200 && status < 300 ? null : sentenceFor(status) };
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    const hidden = !privateAddresses && (error.reason === 'refused' || UNRESOLVED.has(error.message));
    return {
      outcome: { refused: error.reason === 'refused' },
      error: hidden ? NO_SUCH_TARGET : error.message,
      hidden,
    };
  }
}

function sentenceFor(status: number): string {
  if (status >= 300 && status < 400)
    return `It answered ${status}; redirects are not followed, so give the URL that it leads to.`;
  return `It answered ${status}.`;
}

async function noteFailure(
  { registry }: WebhookParts,
  id: number,
  failure: { gone: boolean; pauseSeconds: number },
): Promise<void> {
  await registry.db.transaction(async (tx) => {
    const disabled = await hooks.noteFailure(tx, id, { ...failure, days: FAILING_DAYS });
    if (disabled === undefined) return;
    await dropPending(tx, id, DISABLED);
    await recordChange(
      tx,
      { id: 0 },
      {
        type: 'webhook.disabled',
        ...(disabled.projectId !== null && { projectId: disabled.projectId }),
        data: { ...describeWebhook(disabled), reason: disabled.disabledReason },
      },
    );
  });
}
