/** Who signs the tokens of builds (GitHub, GitLab, Kubernetes, any OIDC provider): registered by administrators of the hub. */
import type { Database, Queryable, Transaction } from '../db/database.ts';
import { AccountError } from './errors.ts';
import { recordChange, type Actor } from './events.ts';
import { readKeys, type IssuerKeys, type KeySet } from './issuer-keys.ts';
import { isAccountName } from './names.ts';
import * as rows from './queries/issuers.ts';
import { endSessionsOfIssuer } from './queries/trust-rules.ts';

export const ISSUER_KINDS = ['github', 'gitlab', 'kubernetes', 'generic'] as const;
export type IssuerKind = (typeof ISSUER_KINDS)[number];
export type Issuer = rows.IssuerRow;

export interface IssuerRequest {
  readonly name: string;
  /** The claim `iss`, letter by letter. */
  readonly url: string;
  readonly kind: IssuerKind;
  /** Keys in place of discovery. */
  readonly jwks?: unknown;
  readonly http?: boolean;
  readonly privateAddresses?: boolean;
  readonly ca?: string;
}

export interface IssuerChange {
  readonly jwks?: unknown;
  readonly http?: boolean;
  readonly privateAddresses?: boolean;
  /** Null: the system's certificates again. */
  readonly ca?: string | null;
  readonly disabled?: boolean;
}

export interface IssuerParts {
  readonly db: Database;
  readonly keys: IssuerKeys;
  /** Public URLs of the hub, whose tokens are its own. */
  readonly origins: readonly string[];
}

/** @throws {AccountError} name-invalid, name-taken, issuer-unusable */
export async function createIssuer(parts: IssuerParts, request: IssuerRequest, actor: Actor): Promise<Issuer> {
  const { name, url, kind } = request;
  if (!isAccountName(name)) {
    throw new AccountError(
      'name-invalid',
      'An issuer is named with at most 64 lower-case letters and digits, with single . _ or - between them.',
    );
  }
  const source = { url, http: request.http ?? false, privateAddresses: request.privateAddresses ?? false };
  requireUrl(parts.origins, source);
  const pasted = request.jwks !== undefined;
  const ca = request.ca ?? null;
  const keys = pasted ? readKeys(request.jwks) : await parts.keys.fetch({ ...source, ca });
  return parts.db.transaction(async (tx) => {
    const row = await rows.insertIssuer(tx, { ...source, name, kind, pasted, ca, keys });
    if (row === undefined) throw new AccountError('name-taken', 'There is an issuer of that name or URL already.');
    await recordChange(tx, actor, { type: 'issuer.created', data: describe(row) });
    return row;
  });
}

/** By name, in byte order. */
export function listIssuers(
  db: Queryable,
  page: { readonly after?: string; readonly limit: number },
): Promise<Issuer[]> {
  return rows.selectIssuers(db, page.after, page.limit);
}

export function findIssuer(db: Queryable, name: string): Promise<Issuer | undefined> {
  return rows.selectIssuer(db, name);
}

/**
 * Fetches the keys with what is allowed now, and ends the sessions that rest on the issuer: builds whose tokens are still good open
 * new ones, unless it is disabled.
 * @param expect looks at the issuer as it is, under its lock; what it throws is thrown
 * @throws {AccountError} not-found, kind-differs, issuer-unusable
 */
export async function changeIssuer(
  parts: IssuerParts,
  name: string,
  change: IssuerChange,
  actor: Actor,
  expect: (before: Issuer) => void = () => {},
): Promise<Issuer> {
  const known = await rows.selectIssuer(parts.db, name);
  if (known === undefined) throw missing(name);
  if (change.jwks !== undefined && !known.pasted) {
    throw new AccountError('kind-differs', `The keys of ${name} are fetched; make another issuer to paste them.`);
  }
  const fields = {
    http: change.http ?? known.http,
    privateAddresses: change.privateAddresses ?? known.privateAddresses,
    ca: change.ca === undefined ? known.ca : change.ca,
    disabled: change.disabled ?? known.disabled,
  };
  requireUrl(parts.origins, { ...fields, url: known.url });
  const keys = await keysAfter(parts.keys, known, change, { ...fields, url: known.url });
  return parts.db.transaction(async (tx) => {
    const before = await lockIssuer(tx, name);
    expect(before);
    const after = await rows.updateIssuer(tx, before.id, { ...fields, keys: keys ?? before.keys });
    await endSessionsOfIssuer(tx, before.id);
    await recordChange(tx, actor, {
      type: 'issuer.updated',
      data: { before: describe(before), after: describe(after) },
    });
    return after;
  });
}

/** Undefined: as they are. What is disabled, or only switched on or off, is not asked. */
async function keysAfter(
  keys: IssuerKeys,
  known: Issuer,
  change: IssuerChange,
  source: Parameters<IssuerKeys['fetch']>[0] & { readonly disabled: boolean },
): Promise<KeySet | undefined> {
  if (change.jwks !== undefined) return readKeys(change.jwks);
  return known.pasted || source.disabled ? undefined : keys.fetch(source);
}

/** @throws {AccountError} not-found, in-use while trust rules rest on it */
export async function removeIssuer(db: Database, name: string, actor: Actor): Promise<void> {
  await db.transaction(async (tx) => {
    const issuer = await lockIssuer(tx, name);
    if (!(await rows.deleteIssuer(tx, issuer.id))) {
      throw new AccountError('in-use', `Trust rules rest on ${name}; remove them first, or disable it.`);
    }
    await recordChange(tx, actor, { type: 'issuer.removed', data: describe(issuer) });
  });
}

async function lockIssuer(tx: Transaction, name: string): Promise<Issuer> {
  const issuer = await rows.lockIssuer(tx, name);
  if (issuer === undefined) throw missing(name);
  return issuer;
}

function missing(name: string): AccountError {
  return new AccountError('not-found', `There is no issuer ${name}.`);
}

/** @throws {AccountError} issuer-unusable */
function requireUrl(origins: readonly string[], { url, http }: { readonly url: string; readonly http: boolean }): void {
  if (origins.includes(url)) throw new AccountError('issuer-unusable', 'The hub does not trust itself as an issuer.');
  if (url.startsWith('http:') && !http) {
    throw new AccountError('issuer-unusable', 'An issuer with http:// needs http to be allowed for it.');
  }
}

function describe({ name, url, kind, pasted, http, privateAddresses, ca, keys, disabled }: Issuer) {
  const kids = keys.keys.map((key) => key['kid'] ?? null);
  return {
    issuer: name,
    url,
    kind,
    pasted,
    http,
    private_addresses: privateAddresses,
    ca: ca !== null,
    kids,
    disabled,
  };
}
