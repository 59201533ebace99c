/**
 * Promise P12 for the doors that a worker opens late: their tables are looked at before a hub starts, in a process that ends, so
 * that nothing of them stays in memory. The doors that are opened at once look at their own.
 */
import { toRoute } from '../api/call.ts';
import { documentRoute } from '../api/document-route.ts';
import { apiRoutes } from '../api/routes.ts';
import { filesRoutes } from '../files/routes.ts';
import { helmRoutes } from '../helm/routes.ts';
import { requirePolicies } from '../http/table.ts';

/** Handlers are made but never called, so they need nothing. */
const NOTHING = { publicUrls: [] } as never;

/** @throws when a route of a door has no policy, or shares its id with another one */
export function requirePoliciesOfDoors(): void {
  requirePolicies([...apiRoutes(NOTHING), documentRoute({})].map(toRoute));
  requirePolicies(filesRoutes(NOTHING));
  requirePolicies(helmRoutes(NOTHING));
}
