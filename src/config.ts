/** What the operator decided, read once. Nothing below `main.ts` knows the environment. */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { StoreConfig } from './blobs/open.ts';
import { ConfigError } from './config/errors.ts';
import { masterKeyIn } from './config/master-key.ts';
import { collect, type Collected, type Environment, type Flags } from './config/sources.ts';
import type { Values } from './config/settings.ts';

export interface GcClocks {
  /** In which what was deleted can be brought back. */
  readonly undo: number;
  /** From the end of its last use to a blob's review. */
  readonly delay: number;
  /** From the removal of the rows to that of the bytes. */
  readonly bytesDelay: number;
  /** Of an answer to somebody who may push (P4); renewed when half of it is over. */
  readonly lease: number;
}

export interface Config {
  readonly host: string;
  readonly port: number;
  /** Absolute. Holds the embedded Postgres, the bytes (unless S3), the master key and the lock. */
  readonly dataDir: string;
  /** Origins that clients use, e.g. https://hub.example.com; the first is the default. Never empty. */
  readonly publicUrls: readonly string[];
  readonly workers: number;
  /** Whether `berth serve` runs background jobs too. */
  readonly jobs: boolean;
  readonly logLevel: string;
  readonly database: { readonly kind: 'embedded' } | { readonly kind: 'external'; readonly url: string };
  readonly store: StoreConfig;
  readonly verifyReads: boolean;
  /** How long requests under way may go on after the hub was told to end. */
  readonly drainSeconds: number;
  /** Who may create a project by pushing to it: every user, or administrators only. */
  readonly projectCreation: 'users' | 'admins';
  /** Bytes that a new project may have; undefined: without limit. */
  readonly projectQuota?: number | undefined;
  /** Requests to /api/v1 in a minute, for each principal or address; 0: without limit. */
  readonly apiRate: number;
  /** Days that the audit trail is kept. */
  readonly auditDays: number;
  /** Addresses and networks (CIDR) whose X-Forwarded-For and Forwarded are believed; none by default. */
  readonly trustedProxies: readonly string[];
  /** Seconds after which a browser has to sign in again: without a request, and in any case. */
  readonly sessions: { readonly idle: number; readonly life: number };
  /** Clocks of garbage collection, in seconds. */
  readonly gc: GcClocks;
  readonly limits: {
    /** Bytes of one blob. */
    readonly blob: number;
    /** Seconds after which an upload that nobody touched is removed with its bytes. */
    readonly uploadIdleSeconds: number;
    /** Seconds without a byte after which a request body is given up. */
    readonly bodyIdleSeconds: number;
    /** Bytes per second that a body must bring, averaged over a minute. */
    readonly bodyMinRate: number;
  };
}

export interface Secrets {
  /** Of the first administrator, used only when the hub starts on an empty database. */
  readonly adminPassword?: string;
  /** 32 bytes that encrypt what is kept secret in Postgres. */
  readonly masterKey: Buffer;
}

/** Secrets that were given; `completeSecrets` makes what is missing. */
export type GivenSecrets = Partial<Secrets>;

export interface Reading {
  readonly config: Config;
  readonly secrets: GivenSecrets;
  /** As they were given, for showing them. */
  readonly values: Values;
  /** Which setting came from where. */
  readonly sources: Collected['sources'];
}

/** Reads flags, environment and file. Changes nothing. @throws {ConfigError} */
export function readConfig({ env, flags = {} }: { env: Environment; flags?: Flags }): Reading {
  const { values, sources } = collect(env, flags);
  const required = values as Required<Values>;
  const problems = contradictions(values);
  if (problems.length > 0) throw new ConfigError(problems);

  const { host, port } = required;
  const dataDir = resolve(required.dataDir);
  const config: Config = {
    host,
    port,
    dataDir,
    publicUrls: values.publicUrls ?? localUrls(host, port),
    workers: required.workers,
    jobs: required.jobs,
    logLevel: required.logLevel,
    database: values.databaseUrl ? { kind: 'external', url: values.databaseUrl } : { kind: 'embedded' },
    store: values.s3Bucket
      ? {
          kind: 's3',
          bucket: values.s3Bucket,
          region: values.s3Region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1',
          ...(values.s3Endpoint && { endpoint: values.s3Endpoint }),
          ...(values.s3PublicEndpoint && { publicEndpoint: values.s3PublicEndpoint }),
          forcePathStyle: values.s3ForcePathStyle ?? values.s3Endpoint !== undefined,
        }
      : { kind: 'disk', folder: dataDir },
    verifyReads: required.verifyReads,
    drainSeconds: required.drainSeconds,
    projectCreation: required.projectCreation,
    projectQuota: values.projectQuota,
    apiRate: required.apiRate,
    auditDays: required.auditDays,
    trustedProxies: values.trustedProxies ?? [],
    sessions: { idle: required.sessionIdle, life: required.sessionLife },
    gc: {
      undo: required.undoDays,
      delay: required.gcDelay,
      bytesDelay: required.gcBytesDelay,
      lease: required.lease,
    },
    limits: {
      blob: required.maxBlobSize,
      uploadIdleSeconds: required.uploadIdle,
      bodyIdleSeconds: required.bodyIdle,
      bodyMinRate: required.bodyMinRate,
    },
  };
  const secrets: GivenSecrets = {
    ...(values.adminPassword && { adminPassword: values.adminPassword }),
    ...(values.masterKey && { masterKey: values.masterKey }),
  };
  return { config, secrets, values, sources };
}

/** Whether anything is kept in the data folder. */
export function usesDataDir(config: Config): boolean {
  return config.database.kind === 'embedded' || config.store.kind === 'disk';
}

/** Adds what was not given. The caller has locked the data folder, if it is used. @throws {ConfigError} */
export async function completeSecrets(config: Config, given: GivenSecrets): Promise<Secrets> {
  if (given.masterKey !== undefined) return { ...given, masterKey: given.masterKey };
  if (usesDataDir(config)) return { ...given, masterKey: await masterKeyIn(config.dataDir) };
  throw new ConfigError([
    'BERTH_MASTER_KEY is required, since neither Postgres nor the bytes are in the data folder. Make one with: openssl rand -base64 32',
  ]);
}

function contradictions(values: Values): string[] {
  const problems: string[] = [];
  if (!isLoopback(values.host!) && values.publicUrls === undefined) {
    problems.push(
      `BERTH_PUBLIC_URL is required to listen on ${values.host}, since clients on other machines have to be told where to sign in. Set it to the URL they use, such as https://hub.example.com.`,
    );
  }
  if (
    values.s3Bucket === undefined &&
    (values.s3Endpoint ?? values.s3PublicEndpoint ?? values.s3Region) !== undefined
  ) {
    problems.push('BERTH_S3_BUCKET is required when another S3 setting is given.');
  }
  return problems;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function localUrls(host: string, port: number): string[] {
  const own = host.includes(':') ? `[${host}]` : host;
  const names = own === '127.0.0.1' || own === 'localhost' ? ['127.0.0.1', 'localhost'] : [own];
  return names.map((name) => new URL(`http://${name}:${port}`).origin);
}
