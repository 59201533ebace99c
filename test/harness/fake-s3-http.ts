/** Between HTTP and the operations of the fake. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { receive, slice, type Blocks, type Content } from './fake-s3-content.ts';
import type { Fault, Operation } from './fake-s3-faults.ts';
import type { Answer } from './fake-s3-operations.ts';
import { S3Error } from './fake-s3-xml.ts';

/** Bucket and key, of a path-style URL. */
export function address(url: URL): { name: string; key: string } {
  const [name = '', ...key] = url.pathname.slice(1).split('/');
  return { name, key: decodeURIComponent(key.join('/')) };
}

export function operationOf(method: string, key: string, query: URLSearchParams): Operation {
  const inUpload = query.has('uploadId');
  const name = key === '' ? bucketOperation(method, query) : objectOperation(method, inUpload, query);
  if (name === undefined) throw new Error(`the fake does not know ${method} ${key}?${query.toString()}`);
  return name;
}

function bucketOperation(method: string, query: URLSearchParams): Operation | undefined {
  if (method === 'HEAD') return 'HeadBucket';
  if (method === 'POST' && query.has('delete')) return 'DeleteObjects';
  if (method !== 'GET') return undefined;
  return query.has('uploads') ? 'ListMultipartUploads' : 'ListObjectsV2';
}

function objectOperation(method: string, inUpload: boolean, query: URLSearchParams): Operation | undefined {
  if (method === 'PUT') return inUpload ? 'UploadPart' : 'PutObject';
  if (method === 'GET') return inUpload ? 'ListParts' : 'GetObject';
  if (method === 'HEAD') return 'HeadObject';
  if (method === 'DELETE') return inUpload ? 'AbortMultipartUpload' : 'DeleteObject';
  if (method !== 'POST') return undefined;
  return query.has('uploads') ? 'CreateMultipartUpload' : inUpload ? 'CompleteMultipartUpload' : undefined;
}

/** Takes the body in, if it has the length and the sha256 that were promised. */
export async function bodyOf(request: IncomingMessage, blocks: Blocks, sha256: string | undefined): Promise<Content> {
  if (request.method !== 'PUT' && request.method !== 'POST') return receive(request, blocks, () => undefined);
  if (request.headers['content-length'] === undefined)
    throw new S3Error(411, 'MissingContentLength', 'You must provide the Content-Length');
  if (request.headers['content-encoding'] !== undefined)
    throw new S3Error(501, 'NotImplemented', 'no content encodings');
  const hash = createHash('sha256');
  const content = await receive(request, blocks, (chunk) => void (sha256 !== undefined && hash.update(chunk)));
  if (sha256 !== undefined && hash.digest('hex') !== sha256)
    throw new S3Error(400, 'XAmzContentSHA256Mismatch', 'the body is not what was signed');
  return content;
}

/** Sends the answer, or as much of it as `fault` lets through; `released` ends a `hang`. */
export async function send(
  response: ServerResponse,
  headOnly: boolean,
  answer: Answer,
  fault?: Fault,
  released?: Promise<unknown>,
): Promise<void> {
  const { status, bytes, body = '' } = answer;
  const length = answer.headers['content-length'] ?? (bytes ? bytes.end - bytes.start : Buffer.byteLength(body));
  const headers = status === 204 ? {} : { 'content-length': length };
  response.writeHead(status, { 'x-amz-request-id': 'fake', ...answer.headers, ...headers });
  if (headOnly) return void response.end();
  if (bytes === undefined) {
    if (fault?.kind !== 'hang') return void response.end(body);
    response.write(body.slice(0, fault.bytes));
    await released;
    response.socket?.destroySoon();
    return;
  }
  await pipeline(Readable.from(spoil(bytes, fault), { objectMode: false }), response, { end: false });
  if (fault?.kind === 'hang') await released;
  if (fault?.kind === 'cut' || fault?.kind === 'hang') response.socket?.destroySoon();
  else response.end();
}

function* spoil({ content, start, end }: Required<Answer>['bytes'], fault: Fault | undefined): Generator<Buffer> {
  const spoiled = fault?.kind === 'cut' || fault?.kind === 'hang' ? Math.min(end, start + fault.bytes) : end;
  const step = fault?.kind === 'trickle' ? fault.bytes : Infinity;
  for (const block of slice(content, start, spoiled)) {
    for (let at = 0; at < block.length; at += step) yield block.subarray(at, at + step);
  }
}
