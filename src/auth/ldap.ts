/**
 * Name and password, checked by an LDAP directory: the entry is found (or its DN is known), and a bind as that entry is what
 * proves the password. By ldapts. Nothing that a person types becomes part of a filter or DN unescaped.
 */
import { connect as connectSocket, isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type * as Ldap from 'ldapts';
import { ProviderUnavailable } from './errors.ts';
import type { Vouched } from './identities.ts';
import { createLimiter } from './limiter.ts';
import type { LdapProvider, LdapSettings } from './providers.ts';

const CONNECT_MS = 5_000;
const OPERATION_MS = 10_000;
const MOST_GROUPS = 1_000;

/** Connections of one process to all directories. */
const limiter = createLimiter(8, 100, () => new ProviderUnavailable('Too many people sign in at once'));

/**
 * Undefined when the directory does not know the name, or not with this password; both take the same steps.
 * @param bindPassword of the account that looks for entries
 * @throws {ProviderUnavailable} when the directory cannot be asked
 */
export function askDirectory(
  provider: LdapProvider,
  bindPassword: string | undefined,
  name: string,
  password: string,
): Promise<Vouched | undefined> {
  // An empty password is an "unauthenticated bind" (RFC 4513 section 5.1.2), which succeeds and proves nothing.
  if (password === '' || name === '' || name.length > 255 || /\p{Cc}/u.test(name)) return Promise.resolve(undefined);
  return limiter.run(async () => {
    const ldap = await import('ldapts');
    const client = connect(ldap, provider);
    try {
      if (provider.settings.startTls) await client.startTLS(tlsOf(provider));
      return await check(ldap, client, provider, bindPassword, name, password);
    } catch (error) {
      // Without the cause: a protocol error may hold what was sent.
      throw new ProviderUnavailable(`The directory ${provider.name} could not be asked: ${(error as Error).message}`);
    } finally {
      await client.unbind().catch(() => {});
    }
  });
}

async function check(
  ldap: typeof Ldap,
  client: Ldap.Client,
  { settings }: LdapProvider,
  bindPassword: string | undefined,
  name: string,
  password: string,
): Promise<Vouched | undefined> {
  const lookUp = async (): Promise<void> => {
    if (settings.find.by === 'search' && settings.find.bindDn !== undefined) {
      await client.bind(settings.find.bindDn, bindPassword ?? '');
    }
  };
  await lookUp();
  let entry = settings.find.by === 'search' ? await findEntry(client, settings, name) : undefined;
  const dn = settings.find.by === 'dn' ? fill(settings.find.dn, { name: escapeDn(name) }) : entry?.dn;
  // Nobody's DN, so that an unknown name takes as long as a wrong password.
  if (!(await binds(ldap, client, dn ?? nobody(settings), password)) || dn === undefined) return undefined;
  if (settings.find.by === 'dn') entry = await readEntry(client, settings, dn);
  if (entry === undefined) return undefined;
  const subject = textsOf(entry[settings.subjectAttribute])[0];
  if (subject === undefined) {
    throw new Error(`the entry of a person has no ${settings.subjectAttribute}`);
  }
  // Who has just proven who it is may not be allowed to read groups.
  if (settings.groups.by === 'search') await lookUp();
  return {
    issuer: settings.url,
    subject,
    name: textsOf(entry[settings.nameAttribute])[0] ?? name,
    groups: await groupsOf(client, settings, entry),
  };
}

async function findEntry(client: Ldap.Client, settings: LdapSettings, name: string): Promise<Ldap.Entry | undefined> {
  if (settings.find.by !== 'search') return undefined;
  const { searchEntries } = await client.search(settings.find.base, {
    scope: 'sub',
    filter: fill(settings.find.filter, { name: escapeFilter(name) }),
    sizeLimit: 2,
    timeLimit: OPERATION_MS / 1000,
    ...attributesOf(settings),
  });
  // Two people of one name: nobody can say which of them this is.
  return searchEntries.length === 1 ? searchEntries[0] : undefined;
}

async function readEntry(client: Ldap.Client, settings: LdapSettings, dn: string): Promise<Ldap.Entry | undefined> {
  const { searchEntries } = await client.search(dn, { scope: 'base', ...attributesOf(settings) });
  return searchEntries[0];
}

async function groupsOf(client: Ldap.Client, settings: LdapSettings, entry: Ldap.Entry): Promise<string[]> {
  const { groups } = settings;
  switch (groups.by) {
    case 'none':
      return [];
    case 'attribute':
      return textsOf(entry[groups.attribute]).slice(0, MOST_GROUPS);
    case 'search': {
      const name = textsOf(entry[settings.nameAttribute])[0] ?? '';
      const { searchEntries } = await client.search(groups.base, {
        scope: 'sub',
        filter: fill(groups.filter, { dn: escapeFilter(entry.dn), name: escapeFilter(name) }),
        attributes: [groups.nameAttribute],
        paged: { pageSize: 200 },
        timeLimit: OPERATION_MS / 1000,
      });
      return searchEntries.slice(0, MOST_GROUPS).flatMap((group) => textsOf(group[groups.nameAttribute]).slice(0, 1));
    }
  }
}

async function binds(ldap: typeof Ldap, client: Ldap.Client, dn: string, password: string): Promise<boolean> {
  try {
    await client.bind(dn, password);
    return true;
  } catch (error) {
    // Servers answer for a DN that cannot exist with any of these.
    const wrong = [ldap.InvalidCredentialsError, ldap.NoSuchObjectError, ldap.InvalidDNSyntaxError];
    if (wrong.some((kind) => error instanceof kind)) return false;
    throw error;
  }
}

function connect(ldap: typeof Ldap, provider: LdapProvider): Ldap.Client {
  const { url } = provider.settings;
  return new ldap.Client({
    url,
    timeout: OPERATION_MS,
    connectTimeout: CONNECT_MS,
    createConnection: connectOnce(),
    ...(url.startsWith('ldaps:') && { tlsOptions: tlsOf(provider) }),
  });
}

function tlsOf({ settings }: LdapProvider): ConnectionOptions {
  const host = new URL(settings.url).hostname.replaceAll(/[[\]]/g, '');
  return {
    // The certificate must be for this one; with StartTLS nothing else would say so, and Node would take localhost.
    host,
    ...(isIP(host) === 0 && { servername: host }),
    minVersion: 'TLSv1.2',
    ...(settings.ca !== undefined && { ca: settings.ca }),
  };
}

/** ldapts connects anew when a connection breaks; after StartTLS that would be in the clear, with the password next. */
function connectOnce(): typeof connectSocket {
  let connected = false;
  return ((...options: Parameters<typeof connectSocket>) => {
    if (connected) throw new Error('the connection broke off');
    connected = true;
    return connectSocket(...options);
  }) as typeof connectSocket;
}

/** Binary identifiers, such as Active Directory's objectGUID, are read as they are. */
function attributesOf({ subjectAttribute, nameAttribute, groups }: LdapSettings) {
  const attributes = [subjectAttribute, nameAttribute, ...(groups.by === 'attribute' ? [groups.attribute] : [])];
  return { attributes, explicitBufferAttributes: /guid|sid/i.test(subjectAttribute) ? [subjectAttribute] : [] };
}

function nobody({ find }: LdapSettings): string {
  return find.by === 'search' ? `cn=nobody-of-berth,${find.base}` : fill(find.dn, { name: 'nobody-of-berth' });
}

/** `{name}` and `{dn}` in a template; what is filled in is escaped already. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(name|dn)\}/g, (whole, key: string) => values[key] ?? whole);
}

/** RFC 4515 section 3. */
export function escapeFilter(text: string): string {
  return text.replaceAll(/[\0()*\\]/g, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** RFC 4514 section 2.4. */
export function escapeDn(text: string): string {
  return text
    .replaceAll(/["+,;<=>\\]/g, '\\$&')
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ')
    .replaceAll('\0', '\\00');
}

function textsOf(value: Ldap.Entry[string] | undefined): string[] {
  if (value === undefined) return [];
  return [value]
    .flat()
    .map((each) => (Buffer.isBuffer(each) ? each.toString('hex') : each))
    .filter((each) => each !== '');
}
