/** Webhooks: /projects/:project/webhooks for owners, /webhooks (of the hub) for administrators. */
import type { Principal, Target } from '../auth/principal.ts';
import type { Secrets } from '../auth/secrets.ts';
import type { Actor } from '../auth/events.ts';
import type { Database } from '../db/database.ts';
import * as deliveries from '../registry/webhooks/deliveries.ts';
import * as webhooks from '../registry/webhooks/webhooks.ts';
import { idOf } from './account-routes.ts';
import { define, type ApiRoute } from './call.ts';
import { hubAdmin, isHubAdmin, onProject } from './guard.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import * as shapes from './webhook-shapes.ts';

export interface WebhookApi {
  readonly db: Database;
  readonly secrets: Secrets;
  readonly publicUrls: readonly string[];
}

export function webhookRoutes(api: WebhookApi): ApiRoute[] {
  return [
    ...routesUnder(api, '/projects/:project', ''),
    ...deliveryRoutesUnder(api, '/projects/:project', ''),
    ...routesUnder(api, '', 'hub-'),
    ...deliveryRoutesUnder(api, '', 'hub-'),
  ];
}

type Base = '' | '/projects/:project';

function routesUnder({ db, secrets }: WebhookApi, base: Base, prefix: '' | 'hub-'): ApiRoute[] {
  const policy = base === '' ? hubAdmin : onProject('admin');
  const whose = base === '' ? 'of the hub' : 'of a project';
  const door = { db, secrets };
  return [
    define('GET', `${base}/webhooks`, {
      id: `${prefix}webhooks`,
      policy,
      summary: `The webhooks ${whose}`,
      query: pageQuery,
      answer: pageOf(shapes.webhook),
      run: async ({ target, query: { limit, cursor } }) => {
        const after = decodeCursor(cursor, 'number') ?? 0;
        const rows = await webhooks.listWebhooks(db, homeOf(target), { after, limit: limit + 1 });
        return page(rows, limit, (row) => row.id, shapes.showWebhook);
      },
    }),
    define('POST', `${base}/webhooks`, {
      id: `${prefix}webhook-create`,
      policy,
      summary: `Have events ${whose} posted to a URL; the secret is shown in this answer only`,
      body: shapes.newWebhook,
      status: 201,
      answer: shapes.createdWebhook,
      run: async ({ target, principal, actor, body }) => {
        const request = { ...requestOf(body), url: body.url, types: body.types };
        const made = await webhooks.createWebhook(door, homeOf(target), request, setterOf(principal, actor));
        return { ...shapes.showWebhook(made.webhook), secret: made.secret };
      },
    }),
    define('GET', `${base}/webhooks/:hook`, {
      id: `${prefix}webhook`,
      policy,
      summary: `One webhook ${whose}: what it is told, and how it fares`,
      answer: shapes.webhook,
      run: async ({ target, params }) =>
        shapes.showWebhook(await webhooks.requireWebhook(db, homeOf(target), idOf(params['hook']))),
    }),
    define('PATCH', `${base}/webhooks/:hook`, {
      id: `${prefix}webhook-change`,
      conditional: true,
      policy,
      summary: `Change, disable or enable a webhook ${whose}; you become its owner`,
      body: shapes.webhookChange,
      answer: shapes.webhook,
      run: async ({ target, principal, actor, params, expect, body }) => {
        const change = { ...requestOf(body), url: body.url, types: body.types, disabled: body.disabled };
        const check = (row: webhooks.Webhook) => expect(shapes.webhook, shapes.showWebhook(row));
        const setter = setterOf(principal, actor);
        return shapes.showWebhook(await webhooks.changeWebhook(door, placeOf(target, params), change, setter, check));
      },
    }),
    define('DELETE', `${base}/webhooks/:hook`, {
      id: `${prefix}webhook-remove`,
      conditional: true,
      policy,
      summary: `Remove a webhook ${whose}, with what waits and its history`,
      run: async ({ target, actor, params, expect }) =>
        webhooks.removeWebhook(db, placeOf(target, params), actor, (row) =>
          expect(shapes.webhook, shapes.showWebhook(row)),
        ),
    }),
    define('POST', `${base}/webhooks/:hook/rotate-secret`, {
      id: `${prefix}webhook-rotate`,
      policy,
      summary: 'Make a new secret, shown in this answer only; the one until now signs as well for a while',
      query: shapes.rotateQuery,
      status: 201,
      answer: shapes.createdWebhook,
      run: async ({ target, actor, params, query: { overlap_hours } }) => {
        const made = await webhooks.rotateSecret(door, placeOf(target, params), overlap_hours * 3_600, actor);
        return { ...shapes.showWebhook(made.webhook), secret: made.secret };
      },
    }),
  ];
}

function deliveryRoutesUnder({ db, publicUrls }: WebhookApi, base: Base, prefix: '' | 'hub-'): ApiRoute[] {
  const policy = base === '' ? hubAdmin : onProject('admin');
  return [
    define('POST', `${base}/webhooks/:hook/test`, {
      id: `${prefix}webhook-test`,
      policy,
      summary: 'Try a webhook out: sends a message of type dev.berth.ping',
      status: 201,
      answer: shapes.delivery,
      run: async ({ target, actor, params }) =>
        shapes.showDelivery(await deliveries.testWebhook(db, placeOf(target, params), publicUrls[0] as string, actor)),
    }),
    define('GET', `${base}/webhooks/:hook/deliveries`, {
      id: `${prefix}webhook-deliveries`,
      policy,
      summary: 'What was sent to a webhook and what waits, newest first; the last thousand of 30 days',
      query: shapes.deliveriesQuery,
      answer: pageOf(shapes.delivery),
      run: async ({ target, params, query: { limit, cursor, state } }) => {
        const before = decodeCursor(cursor, 'number');
        const rows = await deliveries.listDeliveries(db, placeOf(target, params), { state, before, limit: limit + 1 });
        return page(rows, limit, (row) => row.id, shapes.showDelivery);
      },
    }),
    define('GET', `${base}/webhooks/:hook/deliveries/:delivery`, {
      id: `${prefix}webhook-delivery`,
      policy,
      summary: 'One message, with its payload',
      answer: shapes.deliveryWithPayload,
      run: async ({ target, params }) =>
        shapes.showDeliveryWithPayload(
          await deliveries.requireDelivery(db, placeOf(target, params), idOf(params['delivery'])),
        ),
    }),
    define('POST', `${base}/webhooks/:hook/deliveries/:delivery/redeliver`, {
      id: `${prefix}webhook-redeliver`,
      policy,
      summary: 'Send a message once more, under the same webhook-id; one that waits is sent now',
      answer: shapes.delivery,
      run: async ({ target, actor, params }) =>
        shapes.showDelivery(await deliveries.redeliver(db, placeOf(target, params), idOf(params['delivery']), actor)),
    }),
  ];
}

/** The guard lets only targets with a project through, on paths that name one. */
function homeOf({ project }: Target): number | null {
  return project?.id ?? null;
}

function placeOf(target: Target, params: Readonly<Record<string, string>>): deliveries.HookPlace {
  return { projectId: homeOf(target), id: idOf(params['hook']) };
}

function setterOf(principal: Principal, actor: Actor): webhooks.Setter {
  return { principal, actor, mayTrust: isHubAdmin(principal) };
}

interface Given {
  readonly description?: string | undefined;
  readonly path_glob?: string | null | undefined;
  readonly tag_glob?: string | null | undefined;
  readonly kinds?: readonly string[] | null | undefined;
  readonly ca?: string | null | undefined;
  readonly http?: boolean | undefined;
  readonly private_addresses?: boolean | undefined;
}

function requestOf({ description, path_glob, tag_glob, kinds, ca, http, private_addresses }: Given) {
  return { description, pathGlob: path_glob, tagGlob: tag_glob, kinds, ca, http, privateAddresses: private_addresses };
}
