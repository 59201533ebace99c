/** /providers: where people can sign in beside the password kept here; and who they are there. */
import { listIdentities, unlinkIdentity } from '../auth/identities.ts';
import { chooseOrigin } from '../auth/origins.ts';
import {
  changeProvider,
  createProvider,
  enabledProviders,
  findProvider,
  listProviders,
  removeProvider,
  type ProviderRequest,
} from '../auth/providers.ts';
import type { Secrets } from '../auth/secrets.ts';
import type { Database } from '../db/database.ts';
import { idOf, nameOf, requireUser } from './account-routes.ts';
import { define, type ApiRoute, type Call } from './call.ts';
import { anyone, hubAdmin } from './guard.ts';
import { notFound } from './problems.ts';
import * as shapes from './provider-shapes.ts';
import { z } from 'zod';

export interface ProviderDoor {
  readonly db: Database;
  readonly secrets: Secrets;
  readonly publicUrls: readonly string[];
}

export function providerRoutes({ db, secrets, publicUrls }: ProviderDoor): ApiRoute[] {
  const originOf = ({ ctx }: Pick<Call<undefined, undefined>, 'ctx'>): string =>
    chooseOrigin(publicUrls, ctx.req.headers.host);
  return [
    define('GET', '/sign-in', {
      id: 'sign-in-ways',
      policy: anyone,
      summary: 'How a browser can sign in: with a password, and at which providers',
      answer: shapes.signInWays,
      run: async () => ({
        password: true,
        providers: (await enabledProviders(db, 'oidc')).map(({ name, title }) => ({
          name,
          title,
          url: `/auth/oidc/${name}`,
        })),
      }),
    }),
    define('GET', '/providers', {
      id: 'providers',
      policy: hubAdmin,
      summary: 'The sign-in providers, by name',
      answer: z.object({ items: z.array(shapes.provider) }),
      run: async (call) => ({
        items: (await listProviders(db)).map((row) => shapes.showProvider(row, originOf(call))),
      }),
    }),
    define('POST', '/providers', {
      id: 'provider-create',
      policy: hubAdmin,
      summary: 'Let people sign in at an OIDC provider, or with the password of an LDAP directory',
      body: shapes.newProvider,
      status: 201,
      answer: shapes.provider,
      run: async (call) => {
        const row = await createProvider(db, secrets, call.body.name, requestOf(call.body), call.actor);
        return shapes.showProvider(row, originOf(call));
      },
    }),
    define('GET', '/providers/:provider', {
      id: 'provider',
      policy: hubAdmin,
      summary: 'One sign-in provider',
      answer: shapes.provider,
      run: async (call) => {
        const row = await findProvider(db, nameOf(call.params['provider']));
        if (row === undefined) throw notFound();
        return shapes.showProvider(row, originOf(call));
      },
    }),
    define('PUT', '/providers/:provider', {
      id: 'provider-change',
      policy: hubAdmin,
      summary: 'Replace what is known of a sign-in provider; disabling it signs out whoever came through it',
      body: shapes.providerChange,
      answer: shapes.provider,
      run: async (call) => {
        const name = nameOf(call.params['provider']);
        const row = await changeProvider(db, secrets, name, requestOf(call.body), call.actor);
        return shapes.showProvider(row, originOf(call));
      },
    }),
    define('DELETE', '/providers/:provider', {
      id: 'provider-remove',
      policy: hubAdmin,
      summary: 'Remove a sign-in provider; accounts stay, their sessions and what groups gave them do not',
      run: async ({ actor, params }) => removeProvider(db, secrets, nameOf(params['provider']), actor),
    }),
    define('GET', '/users/:user/identities', {
      id: 'user-identities',
      policy: hubAdmin,
      summary: 'Who a user is at sign-in providers',
      answer: shapes.identities,
      run: async ({ params }) => {
        const { id } = await requireUser(db, params['user']);
        return { items: (await listIdentities(db, id)).map(shapes.showIdentity) };
      },
    }),
    define('DELETE', '/users/:user/identities/:identity', {
      id: 'user-identity-unlink',
      policy: hubAdmin,
      summary: 'Unlink a user from someone at a sign-in provider, and sign the user out',
      run: async ({ actor, params }) =>
        unlinkIdentity(db, await requireUser(db, params['user']), idOf(params['identity']), actor),
    }),
  ];
}

function requestOf({ title, enabled, settings, secret }: z.output<typeof shapes.providerChange>): ProviderRequest {
  return { title, enabled, settings: shapes.readSettings(settings), ...(secret !== undefined && { secret }) };
}
