/** Request bytes, built once and sent many times. */
import type { Request } from './connection.ts';

export interface Head {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly host: string;
  /** The value of Authorization, if the server wants one. */
  readonly authorization?: string | undefined;
  readonly headers?: Readonly<Record<string, string | number>>;
}

/** The bytes of a request's head. */
export function headBytes(head: Head): Buffer {
  let text = `${head.method} ${head.path} HTTP/1.1\r\nHost: ${head.host}\r\n`;
  if (head.authorization !== undefined) text += `Authorization: ${head.authorization}\r\n`;
  for (const [name, value] of Object.entries(head.headers ?? {})) text += `${name}: ${value}\r\n`;
  return Buffer.from(`${text}\r\n`, 'latin1');
}

/** A request without a body. */
export function plainRequest(head: Head): Request {
  return { bytes: [headBytes(head)], bodyless: head.method === 'HEAD' };
}

/** A request whose body is as long as `body` says. */
export function countedRequest(head: Head, body: readonly Buffer[]): Request {
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const headers = { 'Content-Type': 'application/octet-stream', ...head.headers, 'Content-Length': length };
  return { bytes: [headBytes({ ...head, headers }), ...body] };
}

/** A request whose body carries its chunked framing already. */
export function chunkedRequest(head: Head, framed: readonly Buffer[]): Request {
  const headers = { 'Content-Type': 'application/octet-stream', ...head.headers, 'Transfer-Encoding': 'chunked' };
  return { bytes: [headBytes({ ...head, headers }), ...framed] };
}

/** Chunks as the docker engine sends them: Go's copy loop makes one of each 32 KiB. */
const CHUNK = 32 * 1024;

/** `payload` in chunked framing, as one buffer. */
export function frameChunks(payload: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < payload.length; at += CHUNK) {
    const data = payload.subarray(at, at + CHUNK);
    pieces.push(Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n'));
  }
  pieces.push(Buffer.from('0\r\n\r\n'));
  return Buffer.concat(pieces);
}

/** Bytes between the end of the payload and the end of its framing. */
export const FRAME_TAIL = '\r\n0\r\n\r\n'.length;
