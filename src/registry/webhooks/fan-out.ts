/**
 * From the outbox to messages. What there is to tell, and to whom, is found out without a lock; one short transaction then writes the
 * messages and takes the step of the cursor, and only if nobody else took it. So each hook has exactly one message for each event,
 * and whoever causes an event does nothing but write it.
 */
import { selectOwners, selectEnabled, noteWithheld, type OwnerRow, type WebhookRow } from '../queries/webhooks.ts';
import { dropOverflow, insertDeliveries, type NewDelivery } from '../queries/webhook-deliveries.ts';
import * as outbox from '../queries/webhook-outbox.ts';
import { concerns, digestsOf, kindOf, likePatterns } from './filter.ts';
import { LARGEST_MESSAGE, messageOf } from './message.ts';
import type { WebhookParts } from './parts.ts';
import { viewOf, type View, type Withheld } from './rights.ts';

/** Events of one step, and bytes of messages after which it ends. */
const BATCH = 200;
const STEP_BYTES = 8 * 2 ** 20;
/** Messages of one hook that wait at most; beyond it the oldest go. */
export const MOST_PENDING = 1_000;
const QUEUE_FULL = `More than ${MOST_PENDING} messages were waiting.`;

/** Takes one step. `none`: there are no hooks; `idle`: there is nothing new; `more`: there may be. */
export async function fanOut(parts: WebhookParts): Promise<'none' | 'idle' | 'more'> {
  const { db } = parts.registry;
  const outlook = await outbox.selectOutlook(db);
  if (!outlook.hooks) return 'none';
  const from = { xid: outlook.cursorXid, id: outlook.cursorId };
  const end = await outbox.selectEnd(db, from, outlook.horizon, BATCH);
  if (end === undefined) return 'idle';
  // After the horizon was taken: see selectOutlook.
  const hooks = await selectEnabled(db);
  const events = await outbox.selectEvents(db, from, end, BATCH, likePatterns(hooks), LARGEST_MESSAGE);
  const { deliveries, withheld, last } = await decide(parts, hooks, events);
  await db.transaction(async (tx) => {
    if (!(await outbox.moveCursor(tx, from, last ?? end))) return;
    const told = [...new Set(deliveries.map((each) => each.webhookId))].sort((a, b) => a - b);
    if (told.length > 0) {
      await insertDeliveries(tx, deliveries);
      await dropOverflow(tx, told, MOST_PENDING, QUEUE_FULL);
    }
    for (const [id, { count, reason }] of [...withheld].sort(([a], [b]) => a - b)) {
      await noteWithheld(tx, id, count, reason);
    }
  });
  return 'more';
}

interface Decided {
  readonly deliveries: NewDelivery[];
  readonly withheld: Map<number, { count: number; reason: Withheld }>;
  /** Where the step ends, when it is full before its events are. */
  last?: outbox.Place;
}

async function decide(parts: WebhookParts, hooks: WebhookRow[], events: outbox.OutboxEvent[]): Promise<Decided> {
  const decided: Decided = { deliveries: [], withheld: new Map() };
  if (events.length === 0) return decided;
  const ids = [...new Set(hooks.flatMap(({ ownerId }) => ownerId ?? []))];
  const owners = new Map((await selectOwners(parts.registry.db, ids)).map((owner) => [owner.id, owner]));
  const look = remembering(parts, owners);
  let bytes = 0;
  for (const event of events) {
    let kinds: readonly string[] | undefined;
    for (const hook of hooks) {
      if (event.happened <= hook.activeSince || !concerns(hook, event)) continue;
      if (hook.kinds !== null) {
        kinds ??= await kindsOf(parts, event);
        if (!kinds.some((kind) => hook.kinds?.includes(kind))) continue;
      }
      const seen = await look(hook, event);
      if ('withheld' in seen) {
        const before = decided.withheld.get(hook.id);
        decided.withheld.set(hook.id, { count: (before?.count ?? 0) + 1, reason: seen.withheld });
        continue;
      }
      const payload = messageOf(event, seen.view, parts.source);
      bytes += payload.length;
      decided.deliveries.push({
        webhookId: hook.id,
        eventId: event.id,
        type: event.type,
        repositoryId: event.repositoryId,
        whole: seen.view === 'whole',
        payload,
      });
    }
    if (bytes > STEP_BYTES) {
      decided.last = { xid: event.xid, id: event.id };
      break;
    }
  }
  return decided;
}

/** The gate is asked once for each hook and place in a step. */
function remembering(parts: WebhookParts, owners: ReadonlyMap<number, OwnerRow>) {
  const known = new Map<string, Promise<{ readonly view: View } | { readonly withheld: Withheld }>>();
  return (hook: WebhookRow, { project, repositoryId, repository }: outbox.OutboxEvent) => {
    const place = repositoryId === null ? null : repository;
    const key = `${hook.id} ${project} ${place}`;
    let answer = known.get(key);
    if (answer === undefined) {
      const owner = hook.ownerId === null ? undefined : owners.get(hook.ownerId);
      const subject = { project, repository: place };
      answer = viewOf(parts, { projectId: hook.projectId, owner, limits: hook.ownerLimits }, subject);
      known.set(key, answer);
    }
    return answer;
  };
}

async function kindsOf({ registry }: WebhookParts, event: outbox.OutboxEvent): Promise<readonly string[]> {
  const said = kindOf(event);
  if (said !== undefined) return [said];
  const digests = digestsOf(event);
  if (event.repositoryId === null || digests.length === 0) return [];
  return (await outbox.selectKinds(registry.db, event.repositoryId, digests)).map(({ kind }) => kind);
}
