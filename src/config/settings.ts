/** Every setting there is: the table that reading, `berth config` and docs/configuration.md are made from. */
import { availableParallelism } from 'node:os';
import {
  addressRanges,
  bytes,
  choice,
  days,
  duration,
  durationFrom,
  integer,
  key,
  onOff,
  origin,
  origins,
  password,
  postgresUrl,
  text,
} from './values.ts';

export interface Setting<Value> {
  /** In the environment. */
  readonly env: string;
  /** In the file; dots are levels. The flag is the same with dashes. */
  readonly key: string;
  readonly parse: (value: string) => Value;
  /** As someone would write it. */
  readonly default?: string;
  /** What the default is, where it depends. */
  readonly defaultIs?: string;
  /** Never shown, has no flag, and can be given as a file: the name with _FILE. */
  readonly secret?: true;
  readonly doc: string;
}

const setting = <Value>(definition: Setting<Value>): Setting<Value> => definition;

export const SETTINGS = {
  host: setting({
    env: 'BERTH_HOST',
    key: 'host',
    parse: text,
    default: '127.0.0.1',
    doc: 'Address to listen on. Anything but this machine alone needs BERTH_PUBLIC_URL.',
  }),
  port: setting({
    env: 'BERTH_PORT',
    key: 'port',
    parse: integer(1, 65_535),
    default: '8080',
    doc: 'Port to listen on.',
  }),
  dataDir: setting({
    env: 'BERTH_DATA_DIR',
    key: 'data_dir',
    parse: text,
    default: './data',
    doc: 'Folder of the embedded Postgres, of the bytes when they are not in S3, and of the master key. One hub at a time.',
  }),
  publicUrls: setting({
    env: 'BERTH_PUBLIC_URL',
    key: 'public_url',
    parse: origins,
    defaultIs: 'http://127.0.0.1:PORT,http://localhost:PORT',
    doc: 'URLs that clients use, separated by commas; the first is the default. Tokens and links name them.',
  }),
  workers: setting({
    env: 'BERTH_WORKERS',
    key: 'workers',
    parse: integer(1, 64),
    default: String(Math.min(Math.max(availableParallelism(), 2), 16)),
    defaultIs: 'one per core, at least 2, at most 16',
    doc: 'Processes that answer requests.',
  }),
  jobs: setting({
    env: 'BERTH_JOBS',
    key: 'jobs',
    parse: onOff,
    default: 'on',
    doc: 'Whether `berth serve` runs background jobs too. Off when `berth worker` processes do.',
  }),
  logLevel: setting({
    env: 'BERTH_LOG_LEVEL',
    key: 'log_level',
    parse: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'info',
    doc: 'How much is logged: trace, debug, info, warn, error, fatal or silent.',
  }),
  drainSeconds: setting({
    env: 'BERTH_DRAIN_SECONDS',
    key: 'drain_seconds',
    parse: integer(0, 3_600),
    default: '25',
    doc: 'How long requests under way may go on after SIGTERM or Ctrl-C.',
  }),
  databaseUrl: setting({
    env: 'DATABASE_URL',
    key: 'database_url',
    parse: postgresUrl,
    secret: true,
    defaultIs: 'the embedded Postgres',
    doc: 'A Postgres (15 or later) of your own.',
  }),
  s3Bucket: setting({
    env: 'BERTH_S3_BUCKET',
    key: 's3.bucket',
    parse: text,
    defaultIs: 'bytes are kept in the data folder',
    doc: 'Bucket to keep bytes in. Credentials come from where AWS tools look for them (AWS_ACCESS_KEY_ID, profiles, roles).',
  }),
  s3Region: setting({
    env: 'BERTH_S3_REGION',
    key: 's3.region',
    parse: text,
    defaultIs: 'AWS_REGION, else us-east-1',
    doc: 'Region of the bucket.',
  }),
  s3Endpoint: setting({
    env: 'BERTH_S3_ENDPOINT',
    key: 's3.endpoint',
    parse: origin,
    defaultIs: "Amazon's",
    doc: 'URL of another S3 server.',
  }),
  s3PublicEndpoint: setting({
    env: 'BERTH_S3_PUBLIC_ENDPOINT',
    key: 's3.public_endpoint',
    parse: origin,
    defaultIs: "clients are sent to the bucket only when it is Amazon's",
    doc: 'URL at which clients reach the same S3 server; downloads are then redirected to it.',
  }),
  s3ForcePathStyle: setting({
    env: 'BERTH_S3_FORCE_PATH_STYLE',
    key: 's3.force_path_style',
    parse: onOff,
    defaultIs: 'on with BERTH_S3_ENDPOINT, else off',
    doc: 'Whether the bucket is the first part of the path rather than of the host name.',
  }),
  verifyReads: setting({
    env: 'BERTH_VERIFY_READS',
    key: 'verify_reads',
    parse: onOff,
    default: 'off',
    doc: 'Checks the digest of every full download while it is sent, and breaks off before the last byte when it differs.',
  }),
  projectCreation: setting({
    env: 'BERTH_PROJECT_CREATION',
    key: 'project_creation',
    parse: choice('users', 'admins'),
    default: 'users',
    doc: 'Who may create a project by pushing to it: users or admins.',
  }),
  projectQuota: setting({
    env: 'BERTH_PROJECT_QUOTA',
    key: 'project_quota',
    parse: bytes,
    defaultIs: 'without limit',
    doc: 'Bytes that a new project may have. Administrators change it for each project: docs/quota.md.',
  }),
  apiRate: setting({
    env: 'BERTH_API_RATE',
    key: 'api_rate',
    parse: integer(0, 1_000_000),
    default: '3000',
    doc: 'Requests to /api/v1 in a minute, for each principal, or for each address without one, in each worker. 0: without limit.',
  }),
  auditDays: setting({
    env: 'BERTH_AUDIT_DAYS',
    key: 'audit_days',
    parse: integer(30, 36_500),
    default: '400',
    doc: 'Days that the audit trail is kept; at least 30.',
  }),
  trustedProxies: setting({
    env: 'BERTH_TRUSTED_PROXIES',
    key: 'trusted_proxies',
    parse: addressRanges,
    defaultIs: 'none',
    doc: 'Addresses and networks (CIDR) of the proxies in front of the hub, separated by commas. Only from them are X-Forwarded-For and Forwarded believed.',
  }),
  sessionIdle: setting({
    env: 'BERTH_SESSION_IDLE',
    key: 'session_idle',
    // Use is noted once a minute.
    parse: durationFrom('5m'),
    default: '1h',
    doc: 'A browser that sends nothing for this long has to sign in again.',
  }),
  sessionLife: setting({
    env: 'BERTH_SESSION_LIFE',
    key: 'session_life',
    parse: durationFrom('5m'),
    default: '12h',
    doc: 'A browser has to sign in again after this long in any case.',
  }),
  maxBlobSize: setting({
    env: 'BERTH_MAX_BLOB_SIZE',
    key: 'max_blob_size',
    parse: bytes,
    default: '100GiB',
    doc: 'The largest blob that is taken.',
  }),
  uploadIdle: setting({
    env: 'BERTH_UPLOAD_IDLE',
    key: 'upload_idle',
    parse: duration,
    default: '24h',
    doc: 'An upload that nobody continues for this long is removed.',
  }),
  undoDays: setting({
    env: 'BERTH_UNDO_DAYS',
    key: 'undo_days',
    parse: days,
    default: '7',
    doc: 'Days in which what was deleted can be brought back; its bytes stay that long, and count. Fractions are allowed.',
  }),
  gcDelay: setting({
    env: 'BERTH_GC_DELAY',
    key: 'gc.delay',
    parse: duration,
    default: '1h',
    doc: 'How long after its last use ended garbage collection looks at a blob.',
  }),
  gcBytesDelay: setting({
    env: 'BERTH_GC_BYTES_DELAY',
    key: 'gc.bytes_delay',
    parse: duration,
    default: '24h',
    doc: 'How long bytes stay after garbage collection has removed what named them: the longest time that a backup of the store may take after that of Postgres, or a download.',
  }),
  lease: setting({
    env: 'BERTH_LEASE',
    key: 'lease',
    parse: duration,
    default: '48h',
    doc: 'How long an answer to somebody who may push keeps a blob or manifest from being collected; renewed by answers when half of it is over. Less than 48h gives clients less than the promised 24 hours; only tests need that.',
  }),
  bodyIdle: setting({
    env: 'BERTH_BODY_IDLE',
    key: 'body_idle',
    parse: duration,
    default: '60s',
    doc: 'A request body that brings no byte for this long is given up.',
  }),
  bodyMinRate: setting({
    env: 'BERTH_BODY_MIN_RATE',
    key: 'body_min_rate',
    parse: bytes,
    default: '1KiB',
    doc: 'Bytes per second that a request body must bring, averaged over a minute.',
  }),
  adminPassword: setting({
    env: 'BERTH_ADMIN_PASSWORD',
    key: 'admin_password',
    parse: password,
    secret: true,
    defaultIs: 'made and printed once',
    doc: 'Password of `admin`, used only when the database is empty.',
  }),
  masterKey: setting({
    env: 'BERTH_MASTER_KEY',
    key: 'master_key',
    parse: key,
    secret: true,
    defaultIs: 'made on first start in DATA_DIR/master.key',
    doc: '32 bytes in base64 that encrypt the secrets kept in Postgres. Required when neither Postgres nor bytes are in the data folder.',
  }),
} as const satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof SETTINGS;

/** Every setting that was given or has a default. */
export type Values = {
  readonly [Name in SettingName]?: (typeof SETTINGS)[Name] extends Setting<infer Value> ? Value : never;
};

/** The flag's name without its dashes in front: `s3.public_endpoint` → `s3-public-endpoint`. */
export function flagOf(definition: Setting<unknown>): string {
  return definition.key.replaceAll(/[._]/g, '-');
}

/** Entries with their general type, for loops. */
export const settingEntries = Object.entries(SETTINGS) as [SettingName, Setting<unknown>][];
