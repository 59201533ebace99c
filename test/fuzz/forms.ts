/** Forms as no browser writes them: cut, with boundaries that lie, with headers without end. */
import * as fc from 'fast-check';

export interface Form {
  readonly contentType: string;
  readonly body: Buffer;
}

const boundary = fc.constantFrom(
  'b',
  'x-boundary',
  '----WebKitFormBoundary7MA4YWxkTrZu0gW',
  "a'()+_,-./:=?",
  'y'.repeat(70),
);
const name = fc.constantFrom('file', '', '__proto__', 'a[b]', 'a[__proto__][x]', 'x'.repeat(300), 'é', '"', '%00');
const filename = fc.constantFrom(
  'a',
  'dir/b',
  '',
  '../x',
  '__proto__',
  'a\0b',
  'x'.repeat(2_000),
  '%22',
  'ü',
  '.',
  'c/..',
  'a',
);
const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom('', '\r\n', '--', '--b', '\r\n--b--\r\n', '\r\n--x-boundary\r\n').map((text) => Buffer.from(text)),
  fc.nat(200_000).map((length) => Buffer.alloc(length, '-')),
);
const header = fc.constantFrom(
  'Content-Type: text/plain',
  'Content-Type: multipart/mixed; boundary=inner',
  'Content-Transfer-Encoding: base64',
  'Content-Length: 99999999999',
  `X: ${'y'.repeat(20_000)}`,
  'no colon',
  ': empty',
  'A: \0',
  'Content-Disposition: form-data; name="again"; filename="again"',
);
const disposition = fc.oneof(
  fc.tuple(name, filename).map(([n, f]) => `Content-Disposition: form-data; name="${n}"; filename="${f}"`),
  name.map((n) => `Content-Disposition: form-data; name="${n}"`),
  fc.constantFrom(
    'Content-Disposition: form-data',
    'Content-Disposition: attachment; filename=x',
    `Content-Disposition: form-data; name=f; filename*=UTF-8''%E2%82%AC`,
    `Content-Disposition: form-data; name=f; filename*=UTF-8''%ff%00..%2f`,
    'Content-Disposition: form-data; name="f; filename="x',
    '',
  ),
);
const part = fc
  .tuple(disposition, fc.array(header, { maxLength: 4 }), content)
  .map(([first, others, bytes]) =>
    Buffer.concat([Buffer.from(`${[first, ...others].filter(Boolean).join('\r\n')}\r\n\r\n`), bytes]),
  );
const newline = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r', '');

const whole = fc
  .record({
    boundary,
    parts: fc.array(part, { maxLength: 12 }),
    newline,
    end: fc.constantFrom('--\r\n', '--', '', '-', '\r\n'),
  })
  .map(({ boundary: mark, parts, newline: nl, end }) => ({
    mark,
    body: Buffer.concat([
      ...parts.flatMap((one) => [Buffer.from(`--${mark}${nl}`), one, Buffer.from(nl)]),
      Buffer.from(`--${mark}${end}`),
    ]),
  }));

/** Sometimes cut, sometimes with a byte changed, sometimes announced under another boundary. */
export const form: fc.Arbitrary<Form> = fc
  .record({
    whole,
    cut: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 2 }),
    flip: fc.option(fc.nat(), { freq: 4 }),
    type: fc.constantFrom(
      (mark: string) => `multipart/form-data; boundary="${mark}"`,
      (mark: string) => `multipart/form-data; boundary="${mark}"`,
      (mark: string) => `multipart/form-data; boundary=${mark}x`,
      () => 'multipart/form-data',
      () => 'multipart/form-data; boundary=',
      (mark: string) => `multipart/mixed; boundary=${mark}`,
    ),
  })
  .map(({ whole: { mark, body }, cut, flip, type }) => {
    const bytes = Buffer.from(cut === null ? body : body.subarray(0, Math.floor(body.length * cut)));
    if (flip !== null && bytes.length > 0) bytes[flip % bytes.length] = (bytes[flip % bytes.length] ?? 0) ^ 0x20;
    return { contentType: type(mark), body: bytes };
  });
