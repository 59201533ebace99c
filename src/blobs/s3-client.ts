/** The SDK's clients, set up once. */
import type { OnReadOpts, Socket } from 'node:net';
import type * as Sdk from '@aws-sdk/client-s3';
import { s3Error } from './s3-errors.ts';

export interface S3Options {
  readonly bucket: string;
  readonly region: string;
  /** Of a server that is not AWS. */
  readonly endpoint?: string;
  /** Where clients reach the same bucket. */
  readonly publicEndpoint?: string;
  readonly forcePathStyle: boolean;
  /** Bytes in which parts of all uploads are collected; 64 MiB unless given. */
  readonly memoryBytes?: number;
  /** Milliseconds that one attempt at a small request, or the wait for more of a body, may take; 15 s unless given. */
  readonly timeout?: number;
  /** Milliseconds after which a part that fills slowly makes way for others; 2 s unless given. */
  readonly patience?: number;
}

export interface S3 {
  readonly sdk: typeof Sdk;
  readonly bucket: string;
  readonly client: Sdk.S3Client;
  /** Has sockets of its own: clients that pull slowly hold them for long, and must not keep uploads from theirs. */
  readonly reader: Sdk.S3Client;
  readonly timeout: number;
  close(): void;
}

/**
 * What answers arrive in, for all sockets of this process: Node's parser copies what it finds before anything else is read.
 * With a buffer for each read, as sockets have by default, every 64 KiB of an object left 64 KiB of garbage that nobody
 * could give back: up to 60 MiB at a time, and a third of the CPU that it takes to read.
 */
const ARRIVING = Buffer.allocUnsafeSlow(64 * 1024);
const INTO_ARRIVING: { readonly onread: OnReadOpts } = {
  onread: {
    buffer: ARRIVING,
    callback(this: Socket, bytes: number): boolean {
      this.emit('data', ARRIVING.subarray(0, bytes));
      return true;
    },
  },
};

const CONNECT_TIMEOUT = 5_000;
const WRITE_SOCKETS = 64;
const READ_SOCKETS = 512;
const ATTEMPTS = 3;

/** Loads the SDK only now: 30 MB that a hub with a data folder does not pay. */
export async function connectS3(options: S3Options): Promise<S3> {
  const sdk = await import('@aws-sdk/client-s3');
  const timeout = options.timeout ?? 15_000;
  const client = newClient(sdk, options, options.endpoint, timeout, WRITE_SOCKETS);
  const reader = newClient(sdk, options, options.endpoint, timeout, READ_SOCKETS);
  const close = (): void => {
    client.destroy();
    reader.destroy();
  };
  return { sdk, bucket: options.bucket, client, reader, timeout, close };
}

/** A client whose requests go to `endpoint`, or to AWS. */
export function newClient(
  sdk: typeof Sdk,
  options: S3Options,
  endpoint: string | undefined,
  timeout: number,
  maxSockets: number,
): Sdk.S3Client {
  return new sdk.S3Client({
    region: options.region,
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: options.forcePathStyle,
    // The default sends trailing checksums in a framing that many servers do not know.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // The default opens a new connection for every body from 2 MiB.
    expectContinueHeader: false,
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT,
      // Until the head of the answer is there.
      requestTimeout: timeout,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets, ...INTO_ARRIVING },
      httpsAgent: { maxSockets, ...INTO_ARRIVING },
    },
  });
}

/** What `client.send` takes beside the command: gives up after a time that grows with the bytes that are sent. */
export function limits(
  s3: S3,
  bytes: number,
  signal?: AbortSignal,
): { requestTimeout: number; abortSignal?: AbortSignal } {
  const requestTimeout = s3.timeout * (1 + bytes / (4 * 1024 * 1024));
  return signal === undefined ? { requestTimeout } : { requestTimeout, abortSignal: signal };
}

/** The same for small requests whose answers have bodies, which may begin and not end: the time of all attempts. */
export function limitsToTheEnd(s3: S3): { requestTimeout: number; abortSignal: AbortSignal } {
  return { requestTimeout: s3.timeout, abortSignal: AbortSignal.timeout(ATTEMPTS * s3.timeout) };
}

/** Size and ETag of a complete object, or undefined when there is none. */
export async function head(
  s3: S3,
  key: string,
  signal?: AbortSignal,
): Promise<{ size: number; etag: string } | undefined> {
  const command = new s3.sdk.HeadObjectCommand({ Bucket: s3.bucket, Key: key });
  try {
    const answer = await s3.client.send(command, limits(s3, 0, signal));
    return { size: answer.ContentLength ?? 0, etag: answer.ETag ?? '' };
  } catch (error) {
    const known = s3Error(error, `look up ${key}`);
    if (known.name === 'ObjectMissing') return undefined;
    throw known;
  }
}

/**
 * Puts `body` under `key` with one request and returns its ETag. Cannot be broken off: S3 might store what it has got
 * all the same, after the key was deleted.
 */
export async function put(s3: S3, key: string, body: Buffer): Promise<string> {
  const command = new s3.sdk.PutObjectCommand({ Bucket: s3.bucket, Key: key, Body: body, ContentLength: body.length });
  try {
    return (await s3.client.send(command, limits(s3, body.length))).ETag ?? '';
  } catch (error) {
    throw s3Error(error, `put ${key}`);
  }
}

/** Deletes the object, if there is one. */
export async function remove(s3: S3, key: string): Promise<void> {
  try {
    await s3.client.send(new s3.sdk.DeleteObjectCommand({ Bucket: s3.bucket, Key: key }));
  } catch (error) {
    const known = s3Error(error, `delete ${key}`);
    if (known.name !== 'ObjectMissing') throw known;
  }
}
