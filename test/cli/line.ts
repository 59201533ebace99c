/** A line between a client and a hub that breaks on command. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll } from 'vitest';

export interface Line {
  readonly origin: string;
  /** Bytes that the client has sent. */
  sent(): number;
  /** Cuts the connection that carries this many bytes more in one direction; then the line is good again. */
  cutAfter(bytes: number, direction: 'up' | 'down'): void;
  /** Holds what the client sends after this many bytes more, and resolves then. */
  holdAfter(bytes: number): Promise<void>;
  /** Cuts all connections. */
  drop(): void;
}

const closers: (() => void)[] = [];
afterAll(() => closers.forEach((close) => close()));

export async function makeLine(origin: string): Promise<Line> {
  const { hostname, port } = new URL(origin);
  const open = new Set<Socket>();
  let cut: { left: number; direction: 'up' | 'down' } | undefined;
  let hold: { left: number; reached: () => void } | undefined;
  let sent = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          open.delete(socket);
          client.destroy();
          upstream.destroy();
        });
    }
    const pass = (from: Socket, to: Socket, direction: 'up' | 'down') => {
      from.on('data', (chunk: Buffer) => {
        if (direction === 'up') sent += chunk.length;
        if (cut?.direction === direction && (cut.left -= chunk.length) < 0) {
          cut = undefined;
          client.destroy();
          return;
        }
        if (direction === 'up' && hold && (hold.left -= chunk.length) < 0) {
          hold.reached();
          hold = undefined;
          from.pause();
          return;
        }
        if (!to.write(chunk)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
    };
    pass(client, upstream, 'up');
    pass(upstream, client, 'down');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const drop = () => {
    for (const socket of open) socket.destroy();
  };
  closers.push(() => {
    drop();
    server.close();
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => sent,
    cutAfter(bytes, direction) {
      cut = { left: bytes, direction };
    },
    drop,
    holdAfter: (bytes) => new Promise<void>((resolve) => (hold = { left: bytes, reached: resolve })),
  };
}

/** For what should be in the middle of its work: fails when it ends, with what it said. */
export async function tooSoon(ended: Promise<{ readonly stderr: string }>): Promise<never> {
  throw new Error(`It ended before it was cut: ${(await ended).stderr}`);
}
