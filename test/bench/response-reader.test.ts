import { expect, test } from 'vitest';
import { ResponseReader } from '../../bench/wire/response-reader.ts';

const COUNTED = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello world';
const CHUNKED =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: x\r\n\r\n';

function read(text: string, cut: number): { body: string; reader: ResponseReader; complete: boolean } {
  const reader = new ResponseReader();
  let body = '';
  reader.begin(false, (bytes) => (body += bytes.toString()));
  const bytes = Buffer.from(text);
  const early = reader.feed(bytes.subarray(0, cut));
  const complete = cut === bytes.length ? early : reader.feed(bytes.subarray(cut));
  return { body, reader, complete };
}

test.each([
  ['counted', COUNTED],
  ['chunked', CHUNKED],
])('a %s body is read wherever the network cuts it', (_, text) => {
  for (let cut = 1; cut <= text.length; cut += 1) {
    const { body, reader, complete } = read(text, cut);
    expect([cut, complete, body, reader.length, reader.status]).toEqual([cut, true, 'hello world', 11, 200]);
  }
});

test('headers are found whatever their case, and closing is noticed', () => {
  const { reader } = read(CHUNKED, 10);
  expect(reader.closes).toBe(true);
  expect(reader.header('transfer-encoding')).toBe('chunked');
  expect(read(COUNTED, 10).reader.closes).toBe(false);
});

test('HEAD has no body, whatever length it announces', () => {
  const reader = new ResponseReader();
  reader.begin(true);
  expect(reader.feed(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n'))).toBe(true);
  expect(reader.length).toBe(0);
});

test('bytes after the response fail the run', () => {
  expect(() => read(`${COUNTED}!`, 3)).toThrow('1 bytes after the end');
});
