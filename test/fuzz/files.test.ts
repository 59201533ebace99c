import { connect } from 'node:net';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { newFiles } from '../files/harness.ts';
import { testHub } from '../harness/hub.ts';
import { basic } from '../harness/oci-client.ts';
import { form, type Form } from './forms.ts';
import { HTTP_RUNS, HTTP_SEARCH, timeout } from './runs.ts';

const hub = await testHub();
const authorization = basic(hub.adminCredentials);

describe('a form that is malformed or cut', () => {
  it(
    'is never the hub’s fault, and leaves no file, upload, handle or temporary file',
    async () => {
      const files = await newFiles(hub);
      const before = { temporary: temporary(), handles: handles() };
      let round = 0;
      await fc.assert(
        fc.asyncProperty(form, fc.constantFrom('whole', 'abort', 'chunked'), async (sent, how) => {
          const version = `v${round++}`;
          const status = await post(files.at(version), sent, how);
          expect(status, `${how} ${sent.contentType}`).toBeLessThan(500);
          // A version is there when and only when it was acknowledged, or its sender did not wait for the answer.
          const there = (await files.ask('GET', files.at(version))).status === 200;
          if (how !== 'abort') expect(there).toBe(status === 201);
        }),
        HTTP_SEARCH,
      );
      await vi.waitFor(async () => {
        const { rows } = await hub.db.pool.query<{ n: number }>('select count(*)::int as n from uploads');
        expect(rows[0]?.n).toBe(0);
      }, 20_000);
      expect(temporary()).toEqual(before.temporary);
      await vi.waitFor(() => expect(handles()).toBeLessThan(before.handles + 30), 20_000);
      await hub.assertNothingLeft();
      expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    },
    timeout(300, HTTP_RUNS),
  );
});

/** Sends the form over a socket of its own; `abort` announces more than it sends and goes away. @returns 0 without an answer */
function post(path: string, { contentType, body }: Form, how: string): Promise<number> {
  const { hostname, port } = new URL(hub.origin);
  const length =
    how === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length + (how === 'abort' ? 1_000 : 0)}`;
  const head = `POST ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: ${authorization}\r\nConnection: close\r\nContent-Type: ${contentType}\r\n${length}\r\n\r\n`;
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => (answer += text));
    socket.on('error', () => {});
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)));
    socket.write(head, 'latin1');
    if (how !== 'chunked') socket.write(body);
    else {
      const half = Math.ceil(body.length / 2);
      for (const piece of [body.subarray(0, half), body.subarray(half)]) {
        if (piece.length > 0)
          socket.write(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]));
      }
      socket.write('0\r\n\r\n');
    }
    if (how === 'abort') socket.end(() => socket.destroy());
  });
}

function temporary(): string[] {
  return readdirSync(tmpdir()).filter((name) => /multer|busboy|upload/i.test(name));
}

function handles(): number {
  return readdirSync('/proc/self/fd').length;
}
