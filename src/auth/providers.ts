/**
 * Where people can sign in beside the password that is kept here: OIDC providers and LDAP directories, registered by
 * administrators. Settings are plain; the one secret of each (client secret, bind password) is encrypted.
 */
import type { Database, Queryable, Transaction } from '../db/database.ts';
import { AccountError } from './errors.ts';
import { recordChange, type Actor } from './events.ts';
import { isAccountName } from './names.ts';
import * as rows from './queries/providers.ts';
import { deleteSessionsThrough } from './queries/sessions.ts';
import { dropSource } from './queries/teams.ts';
import type { Secrets } from './secrets.ts';
import { LOCAL } from './teams.ts';

/** What groups over there mean here. */
export interface GroupRules {
  /** Team by group; the group as the provider writes it. */
  readonly teams: Readonly<Record<string, string>>;
  /** Whether a group is also the team of its name, if there is one. */
  readonly sameName: boolean;
  /** When there are any, nobody signs in without one of them. */
  readonly required: readonly string[];
}

export interface OidcSettings {
  readonly kind: 'oidc';
  readonly issuer: string;
  readonly clientId: string;
  readonly clientAuthentication: 'client_secret_basic' | 'client_secret_post';
  /** Beside `openid`. */
  readonly scopes: readonly string[];
  readonly nameClaim: string;
  readonly groupsClaim: string;
}

export interface LdapSettings {
  readonly kind: 'ldap';
  /** ldaps://host or ldap://host. */
  readonly url: string;
  readonly startTls: boolean;
  /** Passwords may cross the network in the clear. */
  readonly plaintext: boolean;
  /** How a name becomes an entry: looked for under a base, or put into a DN. */
  readonly find:
    | { readonly by: 'search'; readonly base: string; readonly filter: string; readonly bindDn?: string }
    | { readonly by: 'dn'; readonly dn: string };
  /** What never goes to someone else, such as entryUUID or objectGUID. */
  readonly subjectAttribute: string;
  readonly nameAttribute: string;
  readonly groups:
    | { readonly by: 'attribute'; readonly attribute: string }
    | { readonly by: 'search'; readonly base: string; readonly filter: string; readonly nameAttribute: string }
    | { readonly by: 'none' };
}

export interface Common {
  readonly groupRules: GroupRules;
  /** Whether whoever signs in for the first time gets an account. */
  readonly createsUsers: boolean;
  /** PEM of the authority that vouches for its certificate, when it is none of the public ones. */
  readonly ca?: string;
  /** It may be reached at private addresses. */
  readonly privateAddresses: boolean;
}

export type Settings = (OidcSettings | LdapSettings) & Common;

export interface Provider<S extends Settings = Settings> {
  readonly id: number;
  /** In URLs, and as the source of memberships. */
  readonly name: string;
  /** On the button. */
  readonly title: string;
  readonly enabled: boolean;
  readonly settings: S;
  readonly secretId: number | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type OidcProvider = Provider<OidcSettings & Common>;
export type LdapProvider = Provider<LdapSettings & Common>;

export interface ProviderRequest {
  readonly title: string;
  readonly enabled: boolean;
  readonly settings: Settings;
  /** Absent: as it is. */
  readonly secret?: string;
}

const PURPOSE = 'sign-in-provider';

/** @throws {AccountError} name-invalid, name-taken */
export async function createProvider(
  db: Database,
  secrets: Secrets,
  name: string,
  request: ProviderRequest,
  actor: Actor,
): Promise<Provider> {
  if (!isAccountName(name) || name.length > 32 || name === LOCAL) {
    throw new AccountError(
      'name-invalid',
      'A provider is named with at most 32 lower-case letters and digits, with single . _ or - between them, and not local.',
    );
  }
  return db.transaction(async (tx) => {
    const row = await rows.insertProvider(tx, { name, ...request, kind: request.settings.kind });
    if (row === undefined) throw new AccountError('name-taken', `There is a provider ${name} already.`);
    const secretId = await keepSecret(tx, secrets, row, request.secret);
    await recordChange(tx, actor, { type: 'provider.created', data: describe(row) });
    return { ...row, secretId };
  });
}

/** By name, in byte order. */
export function listProviders(db: Queryable): Promise<Provider[]> {
  return rows.selectProviders(db);
}

export function findProvider(db: Queryable, name: string): Promise<Provider | undefined> {
  return rows.selectProvider(db, name);
}

/** In the order in which they were registered. */
export async function enabledProviders<K extends 'oidc' | 'ldap'>(
  db: Queryable,
  kind: K,
): Promise<(K extends 'oidc' ? OidcProvider : LdapProvider)[]> {
  return (await rows.selectEnabled(db, kind)) as (K extends 'oidc' ? OidcProvider : LdapProvider)[];
}

/**
 * Replaces what is known of a provider. Disabling it signs out whoever came through it.
 * @throws {AccountError} not-found, kind-differs
 */
export async function changeProvider(
  db: Database,
  secrets: Secrets,
  name: string,
  request: ProviderRequest,
  actor: Actor,
): Promise<Provider> {
  return db.transaction(async (tx) => {
    const before = await lockProvider(tx, name);
    if (before.settings.kind !== request.settings.kind) {
      throw new AccountError('kind-differs', `${name} is of kind ${before.settings.kind}; make another provider.`);
    }
    const after = await rows.updateProvider(tx, before.id, request);
    const secretId = await keepSecret(tx, secrets, before, request.secret);
    if (before.enabled && !request.enabled) await deleteSessionsThrough(tx, before.id);
    await recordChange(tx, actor, {
      type: 'provider.updated',
      data: { before: describe(before), after: describe(after), secret: request.secret !== undefined },
    });
    return { ...after, secretId };
  });
}

/**
 * Removes it with its sessions, memberships and links. Accounts stay; whoever has no password here cannot sign in any more.
 * @throws {AccountError} not-found
 */
export async function removeProvider(db: Database, secrets: Secrets, name: string, actor: Actor): Promise<void> {
  await db.transaction(async (tx) => {
    const provider = await lockProvider(tx, name);
    await deleteSessionsThrough(tx, provider.id);
    await dropSource(tx, name);
    await rows.deleteProvider(tx, provider.id);
    if (provider.secretId !== null) await secrets.remove(tx, provider.secretId);
    await recordChange(tx, actor, { type: 'provider.removed', data: describe(provider) });
  });
}

/** The client secret or bind password; undefined when there is none. */
export async function secretOf(db: Queryable, secrets: Secrets, provider: Provider): Promise<string | undefined> {
  return provider.secretId === null ? undefined : (await secrets.read(db, provider.secretId)).toString('utf8');
}

/** The teams that groups mean. */
export function teamsFor({ teams, sameName }: GroupRules, groups: readonly string[]): string[] {
  const named = groups.flatMap((group) => (Object.hasOwn(teams, group) ? [teams[group] as string] : []));
  return [...new Set([...named, ...(sameName ? groups.map((group) => group.toLowerCase()) : [])])];
}

async function keepSecret(
  tx: Transaction,
  secrets: Secrets,
  provider: Provider,
  secret: string | undefined,
): Promise<number | null> {
  if (secret === undefined) return provider.secretId;
  if (provider.secretId !== null) {
    await rows.setSecret(tx, provider.id, null);
    await secrets.remove(tx, provider.secretId);
  }
  const id = secret === '' ? null : await secrets.put(tx, PURPOSE, String(provider.id), Buffer.from(secret));
  await rows.setSecret(tx, provider.id, id);
  return id;
}

async function lockProvider(tx: Transaction, name: string): Promise<Provider> {
  const provider = await rows.lockProvider(tx, name);
  if (provider === undefined) throw new AccountError('not-found', `There is no provider ${name}.`);
  return provider;
}

/** For events: nothing secret. */
function describe({ name, title, enabled, settings }: Provider): Record<string, unknown> {
  return { provider: name, title, enabled, settings };
}
