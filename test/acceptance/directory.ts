import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../harness/hub-process.ts';
import { run } from './command.ts';
import { startDaemon } from './daemon.ts';
import type { Workspace } from './workspace.ts';

export const SUFFIX = 'dc=example,dc=com';
const ROOT = `cn=root,${SUFFIX}`;
const ROOT_PASSWORD = 'directory root';

/** Debian's slapd with people and groups of its own, on free ports, in the clear, with StartTLS, and with TLS. */
export interface Directory extends AsyncDisposable {
  readonly url: string;
  readonly tlsUrl: string;
  /** PEM of the authority behind its certificate. */
  readonly ca: string;
  readonly bindDn: string;
  readonly bindPassword: string;
  /** LDIF changes, applied by the directory's own tools. */
  modify(ldif: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startDirectory(workspace: Workspace): Promise<Directory> {
  const folder = await workspace.folder('slapd');
  await workspace.folder('slapd/db');
  await makeCertificate(folder);
  const [port, tlsPort] = [await freePort(), await freePort()];
  const [url, tlsUrl] = [`ldap://127.0.0.1:${port}`, `ldaps://localhost:${tlsPort}`];
  const config = join(folder, 'slapd.conf');
  await writeFile(config, configuration(folder));
  const tool = (name: string, input: string, ...flags: string[]) =>
    run(name, ['-x', '-H', url, '-D', ROOT, '-w', ROOT_PASSWORD, ...flags], { input });
  const daemon = await startDaemon(
    'slapd',
    ['-d', '0', '-f', config, '-h', `${url} ldaps://127.0.0.1:${tlsPort}`],
    () => run('ldapsearch', ['-x', '-H', url, '-b', '', '-s', 'base']),
  );
  await tool('ldapadd', PEOPLE);
  return {
    url,
    tlsUrl,
    ca: await readFile(join(folder, 'ca.pem'), 'utf8'),
    bindDn: `cn=reader,${SUFFIX}`,
    bindPassword: 'reader password',
    modify: async (ldif) => void (await tool('ldapmodify', ldif)),
    stop: async () => daemon[Symbol.asyncDispose](),
    [Symbol.asyncDispose]: async () => daemon[Symbol.asyncDispose](),
  };
}

/** An authority, and a certificate of its for localhost alone. */
async function makeCertificate(folder: string): Promise<void> {
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=Test authority',
  );
  await openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  await writeFile(join(folder, 'extensions'), 'subjectAltName=DNS:localhost\n');
  const sign = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'extensions'];
  await openssl('x509', '-req', '-in', 'server.csr', ...sign, '-out', 'server.pem', '-days', '2');
}

function configuration(folder: string): string {
  return `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile ${folder}/slapd.pid
argsfile ${folder}/slapd.args
TLSCACertificateFile ${folder}/ca.pem
TLSCertificateFile ${folder}/server.pem
TLSCertificateKeyFile ${folder}/server.key
# What makes an empty password dangerous: such a bind succeeds.
allow bind_v2 bind_anon_cred bind_anon_dn
database mdb
suffix ${SUFFIX}
rootdn ${ROOT}
rootpw "${ROOT_PASSWORD}"
directory ${folder}/db
maxsize 16777216
overlay memberof
access to attrs=userPassword by anonymous auth by self write by * none
access to * by dn.exact="cn=reader,${SUFFIX}" read by self read by anonymous auth by * none
`;
}

const person = (uid: string, where = 'people') => `
dn: uid=${uid},ou=${where},${SUFFIX}
objectClass: inetOrgPerson
uid: ${uid}
cn: ${uid}
sn: ${uid}
mail: ${uid}@example.com
userPassword: ${uid} has a secret
`;

const PEOPLE = `
dn: ${SUFFIX}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,${SUFFIX}
objectClass: organizationalUnit
ou: people

dn: ou=others,${SUFFIX}
objectClass: organizationalUnit
ou: others

dn: ou=groups,${SUFFIX}
objectClass: organizationalUnit
ou: groups

dn: cn=reader,${SUFFIX}
objectClass: person
objectClass: simpleSecurityObject
cn: reader
sn: reader
userPassword: reader password
${['ada', 'bob', 'cleo', 'dora', 'erik', 'fay', 'twin', 'admin'].map((uid) => person(uid)).join('')}
${person('twin', 'others')}
dn: cn=engineers,ou=groups,${SUFFIX}
objectClass: groupOfNames
cn: engineers
member: uid=ada,ou=people,${SUFFIX}
member: uid=bob,ou=people,${SUFFIX}

dn: cn=operators,ou=groups,${SUFFIX}
objectClass: groupOfNames
cn: operators
member: uid=bob,ou=people,${SUFFIX}
`;

/** What everyone's password is. */
export const passwordOf = (uid: string): string => `${uid} has a secret`;
