/**
 * Reads one HTTP/1.1 response at a time out of whatever the socket delivers: status, headers as one string, and a body
 * with Content-Length or chunked coding. It knows only what registries send, so that it costs next to nothing.
 */

const HEAD_END = Buffer.from('\r\n\r\n');
const CONTENT_LENGTH = /\r\ncontent-length:[ \t]*(\d+)/i;
const CHUNKED = /\r\ntransfer-encoding:[ \t]*chunked/i;
const CLOSE = /\r\nconnection:[ \t]*close/i;
const LARGEST_HEAD = 64 * 1024;

/** Receives body bytes. The buffer is reused by the next read: copy what must outlive the call. */
export type BodySink = (bytes: Buffer) => void;

const STAGE = { head: 0, counted: 1, chunkSize: 2, chunkData: 3, chunkEnd: 4, trailer: 5, done: 6 } as const;
type Stage = (typeof STAGE)[keyof typeof STAGE];

export class ResponseReader {
  status = 0;
  /** Body bytes of this response so far. */
  length = 0;
  /** The server closes the connection after this response. */
  closes = false;
  #stage: Stage = STAGE.done;
  #head = '';
  #left = 0;
  #line = '';
  #carry: Buffer | undefined;
  #bodyless = false;
  #sink: BodySink | undefined;

  /** Gets ready for the next response. `bodyless`: the request was HEAD, so a Content-Length announces no bytes. */
  begin(bodyless: boolean, sink?: BodySink): void {
    this.status = 0;
    this.length = 0;
    this.closes = false;
    this.#stage = STAGE.head;
    this.#head = '';
    this.#line = '';
    this.#carry = undefined;
    this.#bodyless = bodyless;
    this.#sink = sink;
  }

  /** The value of a header of the response, or undefined. */
  header(name: string): string | undefined {
    return new RegExp(`\\r\\n${name}:[ \\t]*([^\\r]*)`, 'i').exec(this.#head)?.[1];
  }

  /**
   * Takes what the socket delivered.
   * @returns true when the response is complete
   * @throws when the bytes are no HTTP response, or more than one
   */
  feed(bytes: Buffer): boolean {
    let at = 0;
    if (this.#stage === STAGE.head) {
      const whole = this.#carry === undefined ? bytes : Buffer.concat([this.#carry, bytes]);
      const end = whole.indexOf(HEAD_END);
      if (end < 0) {
        if (whole.length > LARGEST_HEAD) throw new Error('The response head is larger than 64 KiB');
        this.#carry = Buffer.from(whole);
        return false;
      }
      bytes = whole;
      at = end + HEAD_END.length;
      this.#readHead(whole.toString('latin1', 0, end));
    }
    while (at < bytes.length && this.#stage !== STAGE.done) at = this.#readBody(bytes, at);
    if (at < bytes.length) throw new Error(`The server sent ${bytes.length - at} bytes after the end of its response`);
    return this.#stage === STAGE.done;
  }

  #readHead(head: string): void {
    if (!head.startsWith('HTTP/1.1 ')) throw new Error(`Not an HTTP/1.1 response: ${head.slice(0, 60)}`);
    this.#head = head;
    this.status = Number(head.slice(9, 12));
    this.closes = CLOSE.test(head);
    if (this.#bodyless || this.status === 204 || this.status === 304) {
      this.#stage = STAGE.done;
      return;
    }
    const counted = CONTENT_LENGTH.exec(head);
    if (counted) {
      this.#left = Number(counted[1]);
      this.#stage = this.#left === 0 ? STAGE.done : STAGE.counted;
    } else if (CHUNKED.test(head)) {
      this.#stage = STAGE.chunkSize;
    } else {
      throw new Error(`Neither Content-Length nor chunked coding: ${head}`);
    }
  }

  #readBody(bytes: Buffer, at: number): number {
    if (this.#stage !== STAGE.counted && this.#stage !== STAGE.chunkData) return this.#readLine(bytes, at);
    const take = Math.min(this.#left, bytes.length - at);
    this.#sink?.(bytes.subarray(at, at + take));
    this.length += take;
    this.#left -= take;
    if (this.#left === 0) this.#stage = this.#stage === STAGE.counted ? STAGE.done : STAGE.chunkEnd;
    return at + take;
  }

  /** Chunk sizes, the line break after each chunk, and trailers. */
  #readLine(bytes: Buffer, at: number): number {
    const feed = bytes.indexOf(10, at);
    if (feed < 0) {
      this.#line += bytes.toString('latin1', at);
      return bytes.length;
    }
    const line = (this.#line + bytes.toString('latin1', at, feed)).trimEnd();
    this.#line = '';
    if (this.#stage === STAGE.chunkSize) {
      this.#left = Number.parseInt(line, 16);
      if (!(this.#left >= 0)) throw new Error(`Not a chunk size: ${line.slice(0, 40)}`);
      this.#stage = this.#left === 0 ? STAGE.trailer : STAGE.chunkData;
    } else if (this.#stage === STAGE.chunkEnd) {
      this.#stage = STAGE.chunkSize;
    } else if (line === '') {
      this.#stage = STAGE.done;
    }
    return feed + 1;
  }
}
