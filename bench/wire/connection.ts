/** One keep-alive connection that receives into a buffer of its own, so that reading costs no allocation. */
import net from 'node:net';
import { ResponseReader, type BodySink } from './response-reader.ts';

/** A server that says nothing for this long has failed the run. */
const SILENCE_MS = 60_000;

export interface Request {
  /** Prebuilt bytes: head, then body. They must not change until the response has arrived. */
  readonly bytes: readonly Buffer[];
  /** The request is HEAD. */
  readonly bodyless?: boolean;
  readonly sink?: BodySink;
}

export class Connection {
  /** Body bytes received since the connection was made; whoever measures a window reads it twice. */
  received = 0;
  readonly response = new ResponseReader();
  readonly #host: string;
  readonly #port: number;
  readonly #buffer: Buffer;
  #socket: net.Socket | undefined;
  #settle: { resolve: (response: ResponseReader) => void; reject: (reason: Error) => void } | undefined;

  constructor(origin: string, bufferSize = 64 * 1024) {
    const url = new URL(origin);
    this.#host = url.hostname;
    this.#port = Number(url.port || 80);
    this.#buffer = Buffer.allocUnsafeSlow(bufferSize);
  }

  /** Connects, when there is no usable connection yet. */
  async open(): Promise<void> {
    if (this.#socket !== undefined) return;
    const socket = net.connect({
      host: this.#host,
      port: this.#port,
      noDelay: true,
      onread: {
        buffer: this.#buffer,
        callback: (length, buffer) => {
          this.#read((buffer as Buffer).subarray(0, length));
          return true;
        },
      },
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    socket.setTimeout(SILENCE_MS, () => socket.destroy(new Error(`No answer within ${SILENCE_MS / 1000} s`)));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
      this.#fail(new Error('The server closed the connection before its response was complete'));
    });
    this.#socket = socket;
  }

  /** Sends a request and waits for the whole response. One at a time. The result is valid until the next call. */
  exchange(request: Request): Promise<ResponseReader> {
    if (this.#socket === undefined) return this.open().then(() => this.exchange(request));
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.response.begin(request.bodyless === true, request.sink);
      if (request.bytes.length === 1) {
        socket.write(request.bytes[0]!);
        return;
      }
      socket.cork();
      for (const part of request.bytes) socket.write(part);
      socket.uncork();
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #read(bytes: Buffer): void {
    const before = this.response.length;
    let complete: boolean;
    try {
      complete = this.response.feed(bytes);
    } catch (error) {
      this.#fail(error as Error);
      this.close();
      return;
    }
    this.received += this.response.length - before;
    if (!complete) return;
    if (this.response.closes) this.close();
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.resolve(this.response);
  }

  #fail(error: Error): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.reject(error);
  }
}
