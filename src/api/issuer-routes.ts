/** /issuers: who signs the tokens of builds; for administrators of the hub. */
import type { IssuerKeys } from '../auth/issuer-keys.ts';
import { changeIssuer, createIssuer, findIssuer, listIssuers, removeIssuer } from '../auth/issuers.ts';
import type { Database } from '../db/database.ts';
import { nameOf } from './account-routes.ts';
import { define, type ApiRoute } from './call.ts';
import * as shapes from './ci-shapes.ts';
import { hubAdmin, onProject } from './guard.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import { notFound } from './problems.ts';

export interface IssuerDoor {
  readonly db: Database;
  readonly issuerKeys: IssuerKeys;
  readonly publicUrls: readonly string[];
}

export function issuerRoutes({ db, issuerKeys, publicUrls }: IssuerDoor): ApiRoute[] {
  const parts = { db, keys: issuerKeys, origins: publicUrls };
  const list = async (limit: number, cursor: string | undefined) => {
    const after = decodeCursor(cursor);
    return listIssuers(db, { limit: limit + 1, ...(after !== undefined && { after }) });
  };
  return [
    define('GET', '/issuers', {
      id: 'issuers',
      policy: hubAdmin,
      summary: 'Who signs the tokens of builds, by name',
      query: pageQuery,
      answer: pageOf(shapes.issuer),
      run: async ({ query: { limit, cursor } }) =>
        page(await list(limit, cursor), limit, (row) => row.name, shapes.showIssuer),
    }),
    define('POST', '/issuers', {
      id: 'issuer-create',
      policy: hubAdmin,
      summary: 'Register who signs the tokens of builds; its keys are fetched at once, or pasted',
      body: shapes.newIssuer,
      status: 201,
      answer: shapes.issuer,
      run: async ({ actor, body: { name, url, kind, jwks, http, private_addresses, ca } }) => {
        const request = {
          name,
          url,
          kind,
          ...(jwks && { jwks }),
          ...given({ http, private_addresses }),
          ...(ca && { ca }),
        };
        return shapes.showIssuer(await createIssuer(parts, request, actor));
      },
    }),
    define('GET', '/issuers/:issuer', {
      id: 'issuer',
      policy: hubAdmin,
      summary: 'One issuer',
      answer: shapes.issuer,
      run: async ({ params }) => {
        const row = await findIssuer(db, nameOf(params['issuer']));
        if (row === undefined) throw notFound();
        return shapes.showIssuer(row);
      },
    }),
    define('PATCH', '/issuers/:issuer', {
      id: 'issuer-change',
      policy: hubAdmin,
      summary: 'Change or disable an issuer; its keys are fetched anew, and the sessions that rest on it end',
      body: shapes.issuerChange,
      answer: shapes.issuer,
      conditional: true,
      run: async ({ actor, params, expect, body: { jwks, ca, disabled, http, private_addresses } }) => {
        const change = {
          ...(jwks && { jwks }),
          ...(ca !== undefined && { ca }),
          ...(disabled !== undefined && { disabled }),
          ...given({ http, private_addresses }),
        };
        const row = await changeIssuer(parts, nameOf(params['issuer']), change, actor, (before) =>
          expect(shapes.issuer, shapes.showIssuer(before)),
        );
        return shapes.showIssuer(row);
      },
    }),
    define('DELETE', '/issuers/:issuer', {
      id: 'issuer-remove',
      policy: hubAdmin,
      summary: 'Remove an issuer that no trust rule rests on',
      run: async ({ actor, params }) => removeIssuer(db, nameOf(params['issuer']), actor),
    }),
    define('GET', '/projects/:project/issuers', {
      id: 'project-issuers',
      policy: onProject('admin'),
      summary: 'The issuers that trust rules may be about',
      query: pageQuery,
      answer: pageOf(shapes.projectIssuer),
      run: async ({ query: { limit, cursor } }) =>
        page(await list(limit, cursor), limit, (row) => row.name, shapes.showProjectIssuer),
    }),
  ];
}

function given(trust: { http: boolean | undefined; private_addresses: boolean | undefined }) {
  return {
    ...(trust.http !== undefined && { http: trust.http }),
    ...(trust.private_addresses !== undefined && { privateAddresses: trust.private_addresses }),
  };
}
