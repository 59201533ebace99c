/** /api/v1, as a table: what each route is for, what it asks of its caller, what it takes and gives. */
import type { Middleware } from 'koa';
import type { Authenticator } from '../auth/authenticate.ts';
import type { Facts, Gate } from '../auth/principal.ts';
import type { IssuerKeys } from '../auth/issuer-keys.ts';
import type { Secrets } from '../auth/secrets.ts';
import type { SessionTimes } from '../auth/sessions.ts';
import type { Database } from '../db/database.ts';
import { mount } from '../http/table.ts';
import type { Registry } from '../registry/registry.ts';
import { meRoutes, userRoutes } from './account-routes.ts';
import { toRoute, type ApiRoute } from './call.ts';
import { ciRoutes } from './ci-routes.ts';
import { fileRoutes } from './file-routes.ts';
import { gcRoutes } from './gc-routes.ts';
import { grantRoutes } from './grant-routes.ts';
import { explainRoutes } from './explain-routes.ts';
import { chartRoutes } from './chart-routes.ts';
import { enforce } from './guard.ts';
import { replayable } from './idempotency.ts';
import { historyRoutes } from './history-routes.ts';
import { holdRoutes } from './hold-routes.ts';
import { immutabilityRoutes } from './immutability-routes.ts';
import { issuerRoutes } from './issuer-routes.ts';
import { openApi } from './openapi.ts';
import { Problem } from './problems.ts';
import { providerRoutes } from './provider-routes.ts';
import type { Rate } from './rate.ts';
import { projectRoutes } from './project-routes.ts';
import { renameRoutes } from './rename-routes.ts';
import { auditRoutes } from './audit-routes.ts';
import { retentionRoutes } from './retention-routes.ts';
import { quotaRoutes } from './quota-routes.ts';
import { robotRoutes } from './robot-routes.ts';
import { sessionRoutes } from './session-routes.ts';
import { tagRoutes } from './tag-routes.ts';
import { teamRoutes } from './team-routes.ts';
import { documentRoute } from './document-route.ts';
import { shareRoutes } from './share-routes.ts';
import { trashRoutes } from './trash-routes.ts';
import { webhookRoutes } from './webhook-routes.ts';
import { writeProblem } from './translate.ts';

export interface ApiDoor {
  readonly db: Database;
  readonly authenticator: Authenticator;
  readonly gate: Gate;
  readonly facts: Facts;
  readonly publicUrls: readonly string[];
  readonly secrets: Secrets;
  readonly issuerKeys: IssuerKeys;
  readonly rate: Rate;
  readonly sessions: SessionTimes;
  readonly registry: Registry;
  /** Told of errors that are the hub's own. */
  readonly report: (error: unknown, requestId: string) => void;
}

export function apiRoutes(door: Omit<ApiDoor, 'report'>): ApiRoute[] {
  const { db, gate, facts, registry, publicUrls } = door;
  return [
    ...sessionRoutes(door),
    ...meRoutes(db, door.authenticator),
    ...userRoutes(db),
    ...projectRoutes(db, gate, registry),
    ...renameRoutes({ db, gate, facts }),
    ...quotaRoutes(db, facts),
    ...grantRoutes(db),
    ...explainRoutes({ db, gate, facts }),
    ...auditRoutes(db),
    ...chartRoutes(db, gate, registry),
    ...fileRoutes(registry),
    ...tagRoutes(registry),
    ...retentionRoutes(db),
    ...shareRoutes(registry, publicUrls),
    ...immutabilityRoutes(db),
    ...holdRoutes(registry),
    ...historyRoutes(registry),
    ...trashRoutes(registry),
    ...robotRoutes(db),
    ...teamRoutes(db),
    ...issuerRoutes(door),
    ...ciRoutes(door),
    ...providerRoutes(door),
    ...gcRoutes(registry),
    ...webhookRoutes(door),
  ];
}

/** Everything under /api. Errors are problem details (RFC 9457), also for paths that are not in the table. */
export function apiDoor(door: ApiDoor): Middleware {
  const routes = apiRoutes(door);
  const all = [...routes, documentRoute(openApi(routes))].map((route) => replayable(door, route));
  const table = mount(all.map(toRoute), enforce(door));
  return async (ctx, next) => {
    if (ctx.path !== '/api' && !ctx.path.startsWith('/api/')) return next();
    try {
      await table(ctx, async () => {
        throw new Problem(
          'not-found',
          `${ctx.method} is not offered at this path; /api/v1/openapi.json lists what is.`,
        );
      });
    } catch (error) {
      writeProblem(ctx, error, door.report);
    }
  };
}
