/** Shapes of sign-in providers. */
import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import type { Identity } from '../auth/identities.ts';
import { isAccountName } from '../auth/names.ts';
import type { Provider, Settings } from '../auth/providers.ts';
import { id, text, time } from './shapes.ts';

/** Two kinds of URLs, without anything secret in them. */
export const url = (...protocols: string[]) =>
  text(500).refine(
    (value) => {
      const parsed = URL.canParse(value) ? new URL(value) : undefined;
      return (
        parsed !== undefined && protocols.includes(parsed.protocol) && parsed.username === '' && parsed.hash === ''
      );
    },
    { message: `Must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}` },
  );
export const certificate = z
  .string()
  .max(64 * 1024)
  .refine(isPem, { message: 'Must be a certificate in PEM' })
  .describe("Certificate (PEM) of the authority behind the provider's own, when it is none of the public ones.");
const attribute = z.string().regex(/^[A-Za-z][A-Za-z0-9;-]{0,99}$/, 'Must be the name of an attribute');
const claim = text(100);
const filter = (needs: string) =>
  text(1_000)
    .startsWith('(')
    .endsWith(')')
    .includes(needs, { message: `Must have ${needs} where the person belongs` });

const groups = {
  team_by_group: z
    .record(text(1_000), z.string().refine(isAccountName, { message: 'Must be the name of a team' }))
    .refine((teams) => Object.keys(teams).length <= 1_000, { message: 'At most 1,000 groups' })
    .default({})
    .describe('Which group makes its people members of which team; read at each sign-in.'),
  groups_are_teams: z
    .boolean()
    .default(false)
    .describe('Whether a group is also the team of its name, if there is one.'),
  required_groups: z
    .array(text(1_000))
    .max(100)
    .default([])
    .describe('When there are any, only people in one of these groups sign in.'),
  creates_users: z.boolean().default(true).describe('Whether people who sign in for the first time get an account.'),
  ca: certificate.optional(),
};

const oidc = z.strictObject({
  kind: z.literal('oidc'),
  issuer: url('https:', 'http:').describe('As the provider names itself in its tokens.'),
  client_id: text(500),
  client_authentication: z.enum(['client_secret_basic', 'client_secret_post']).default('client_secret_basic'),
  scopes: z
    .array(z.string().regex(/^[!#-[\]-~]{1,100}$/, 'Must be the name of a scope'))
    .max(20)
    .default(['profile', 'email'])
    .describe('Beside openid.'),
  name_claim: claim.default('preferred_username').describe('What becomes the name of a new account.'),
  groups_claim: claim.default('groups'),
  private_addresses: z.boolean().default(false).describe('Whether the provider is at a private address.'),
  ...groups,
});

const ldap = z
  .strictObject({
    kind: z.literal('ldap'),
    url: url('ldaps:', 'ldap:'),
    start_tls: z.boolean().default(false).describe('Encrypt a connection to ldap:// before anything is sent.'),
    plaintext: z.boolean().default(false).describe('Send passwords over the network unencrypted.'),
    find: z.discriminatedUnion('by', [
      z.strictObject({
        by: z.literal('search'),
        base: text(1_000),
        filter: filter('{name}').describe('Such as (uid={name}) or (sAMAccountName={name}).'),
        bind_dn: text(1_000).optional().describe('Who looks; its password is the secret. Absent: anonymous.'),
      }),
      z.strictObject({
        by: z.literal('dn'),
        dn: text(1_000).includes('{name}').describe('Such as uid={name},ou=people,dc=example,dc=com.'),
      }),
    ]),
    subject_attribute: attribute.default('entryUUID').describe('What is never given to someone else.'),
    name_attribute: attribute.default('uid').describe('What becomes the name of a new account.'),
    groups: z
      .discriminatedUnion('by', [
        z.strictObject({ by: z.literal('none') }),
        z.strictObject({ by: z.literal('attribute'), attribute }),
        z.strictObject({
          by: z.literal('search'),
          base: text(1_000),
          filter: text(1_000).startsWith('(').endsWith(')').describe('Such as (member={dn}) or (memberUid={name}).'),
          name_attribute: attribute.default('cn'),
        }),
      ])
      .default({ by: 'none' }),
    ...groups,
  })
  .refine((value) => value.url.startsWith('ldaps:') || value.start_tls || value.plaintext, {
    path: ['url'],
    message: 'Passwords would cross the network unencrypted; use ldaps:// or start_tls, or consent with plaintext',
  });

const common = {
  title: text(100).describe('What people read on the button.'),
  enabled: z.boolean().default(true),
  settings: z.discriminatedUnion('kind', [oidc, ldap]),
  secret: z.string().max(4_000).optional().describe('Client secret or bind password. Absent: as it is. Empty: none.'),
};

export const newProvider = z.strictObject({
  name: text(32).describe('In URLs. Lower-case letters and digits, with single . _ or - between them.'),
  ...common,
});
export const providerChange = z.strictObject(common);
export const provider = z.object({
  name: z.string(),
  title: z.string(),
  enabled: z.boolean(),
  settings: z.discriminatedUnion('kind', [oidc, ldap]),
  has_secret: z.boolean().describe('Secrets are kept encrypted and never shown.'),
  callback_url: z.string().optional().describe('Register it at the OIDC provider as redirect URI.'),
  created_at: time,
  updated_at: time,
});

export const signInWays = z.object({
  password: z.boolean(),
  providers: z.array(z.object({ name: z.string(), title: z.string(), url: z.string() })),
});

export const identity = z.object({
  id,
  provider: z.string(),
  issuer: z.string(),
  subject: z.string(),
  created_at: time,
  last_used_at: time,
});
export const identities = z.object({ items: z.array(identity) });

type Given = z.output<typeof newProvider>['settings'];

export function readSettings(given: Given): Settings {
  const shared = {
    groupRules: {
      teams: given.team_by_group,
      sameName: given.groups_are_teams,
      required: given.required_groups,
    },
    createsUsers: given.creates_users,
    ...(given.ca !== undefined && { ca: given.ca }),
  };
  if (given.kind === 'oidc') {
    return {
      kind: 'oidc',
      issuer: given.issuer,
      clientId: given.client_id,
      clientAuthentication: given.client_authentication,
      scopes: given.scopes,
      nameClaim: given.name_claim,
      groupsClaim: given.groups_claim,
      privateAddresses: given.private_addresses,
      ...shared,
    };
  }
  const { find, groups: where } = given;
  return {
    kind: 'ldap',
    url: given.url,
    startTls: given.start_tls,
    plaintext: given.plaintext,
    find:
      find.by === 'dn'
        ? find
        : {
            by: 'search',
            base: find.base,
            filter: find.filter,
            ...(find.bind_dn !== undefined && { bindDn: find.bind_dn }),
          },
    subjectAttribute: given.subject_attribute,
    nameAttribute: given.name_attribute,
    groups:
      where.by === 'search'
        ? { by: 'search', base: where.base, filter: where.filter, nameAttribute: where.name_attribute }
        : where,
    privateAddresses: true,
    ...shared,
  };
}

function showSettings(settings: Settings): z.input<typeof newProvider>['settings'] {
  const { groupRules, createsUsers, ca } = settings;
  const shared = {
    team_by_group: { ...groupRules.teams },
    groups_are_teams: groupRules.sameName,
    required_groups: [...groupRules.required],
    creates_users: createsUsers,
    ...(ca !== undefined && { ca }),
  };
  if (settings.kind === 'oidc') {
    return {
      kind: 'oidc',
      issuer: settings.issuer,
      client_id: settings.clientId,
      client_authentication: settings.clientAuthentication,
      scopes: [...settings.scopes],
      name_claim: settings.nameClaim,
      groups_claim: settings.groupsClaim,
      private_addresses: settings.privateAddresses,
      ...shared,
    };
  }
  const { find, groups: where } = settings;
  return {
    kind: 'ldap',
    url: settings.url,
    start_tls: settings.startTls,
    plaintext: settings.plaintext,
    find:
      find.by === 'dn'
        ? find
        : {
            by: 'search',
            base: find.base,
            filter: find.filter,
            ...(find.bindDn !== undefined && { bind_dn: find.bindDn }),
          },
    subject_attribute: settings.subjectAttribute,
    name_attribute: settings.nameAttribute,
    groups:
      where.by === 'search'
        ? { by: 'search', base: where.base, filter: where.filter, name_attribute: where.nameAttribute }
        : where,
    ...shared,
  };
}

export const showProvider = (row: Provider, origin: string): z.input<typeof provider> => ({
  name: row.name,
  title: row.title,
  enabled: row.enabled,
  settings: showSettings(row.settings),
  has_secret: row.secretId !== null,
  ...(row.settings.kind === 'oidc' && { callback_url: new URL(`/auth/oidc/${row.name}/callback`, origin).href }),
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});

export const showIdentity = (row: Identity): z.input<typeof identity> => ({
  id: String(row.id),
  provider: row.provider,
  issuer: row.issuer,
  subject: row.subject,
  created_at: row.createdAt.toISOString(),
  last_used_at: row.lastUsedAt.toISOString(),
});

function isPem(value: string): boolean {
  try {
    return new X509Certificate(value).subject !== '';
  } catch {
    return false;
  }
}
