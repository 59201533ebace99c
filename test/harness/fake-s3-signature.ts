/** AWS Signature Version 4, as the server of it: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html */
import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { S3Error } from './fake-s3-xml.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const AUTHORIZATION = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;

/** What a request claims, from its header or, for a presigned URL, from its query. */
interface Claim {
  readonly accessKeyId: string;
  readonly scope: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly date: string;
  readonly payload: string;
}

/** Checks who sent the request, and returns the sha256 that its body must have, if the signature covers it. */
export function authenticate(request: IncomingMessage, url: URL, credentials: Credentials): string | undefined {
  const claim = claimOf(request, url.searchParams);
  if (claim === undefined) throw new S3Error(403, 'AccessDenied', 'the request is not signed');
  if (claim.accessKeyId !== credentials.accessKeyId) throw new S3Error(403, 'InvalidAccessKeyId', 'no such access key');
  if (claim.signature !== signatureOf(request, claim, credentials.secretAccessKey)) {
    throw new S3Error(403, 'SignatureDoesNotMatch', 'the signature is not that of the request');
  }
  return /^[0-9a-f]{64}$/.test(claim.payload) ? claim.payload : undefined;
}

function claimOf(request: IncomingMessage, query: URLSearchParams): Claim | undefined {
  const signature = query.get('X-Amz-Signature');
  if (signature !== null) return presigned(query, signature);
  const match = AUTHORIZATION.exec(request.headers.authorization ?? '');
  if (match === null) return undefined;
  const [, accessKeyId, scope, signedHeaders, signed] = match as unknown as [string, string, string, string, string];
  const payload = String(request.headers['x-amz-content-sha256'] ?? '');
  return { accessKeyId, scope, signedHeaders, signature: signed, date: String(request.headers['x-amz-date']), payload };
}

function presigned(query: URLSearchParams, signature: string): Claim {
  const get = (name: string): string => query.get(name) ?? '';
  const date = get('X-Amz-Date');
  const signedAt = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'));
  if (Date.now() > signedAt + Number(get('X-Amz-Expires')) * 1000)
    throw new S3Error(403, 'AccessDenied', 'Request has expired');
  const [accessKeyId = '', ...scope] = get('X-Amz-Credential').split('/');
  const signedHeaders = get('X-Amz-SignedHeaders');
  return { accessKeyId, scope: scope.join('/'), signedHeaders, signature, date, payload: 'UNSIGNED-PAYLOAD' };
}

function signatureOf(request: IncomingMessage, claim: Claim, secret: string): string {
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '' && !pair.startsWith('X-Amz-Signature='))
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort();
  const headers = claim.signedHeaders.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = [request.method, path, pairs.join('&'), headers.join(''), claim.signedHeaders, claim.payload].join(
    '\n',
  );
  const hash = createHash('sha256').update(canonical).digest('hex');
  const key = claim.scope.split('/').reduce<string | Buffer>((last, word) => hmac(last, word), `AWS4${secret}`);
  return hmac(key, ['AWS4-HMAC-SHA256', claim.date, claim.scope, hash].join('\n')).toString('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
