/** Archives and forms that nobody would send in good faith, together with some that somebody would. */
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';

interface Entry {
  readonly name: string;
  readonly type: string;
  readonly content: Buffer;
  /** What the header says, when that is not the truth. */
  readonly size: number | undefined;
}

const YAML = [
  'apiVersion: v2\nname: web\nversion: 1.2.3\n',
  'name: web\nversion: 1.2.3+b\ndependencies:\n- {name: a, repository: x}\n',
  'name: web\nversion: 2.0.0\nannotations: {a: "\\0", b: "\\ud800", __proto__: x}\n',
  'a: &a [x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c]\nname: web\nversion: 1.0.0\n',
  'a: &a\n  b: *a\n',
  '<<: [{name: a}, {version: 1.0.0}]\nname: web\n',
  'name: web\nname: other\nversion: 1.0.0\n',
  'name: ../../x\nversion: 1.0.0\n',
  'name: web\nversion: 1e400\n',
  '? [a]\n: !!js/function "x"\n',
  '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[',
  '{'.repeat(5_000),
  '- '.repeat(3_000),
  '\t- a\n  b: |\n c',
  '%YAML 9.9\n---\nname: web\n...\n---\n',
  `${'k: &x "'.padEnd(4_000, 'y')}"\n`,
  '',
];

const NAMES = [
  'web/Chart.yaml',
  'web/values.yaml',
  'web/values.yaml',
  'web/Chart.lock',
  'web/requirements.yaml',
  'web/templates/a.yaml',
  'web/charts/inner/Chart.yaml',
  'web/charts/inner.tgz',
  'web/README.md',
  'web/values.schema.json',
];

const ODD_NAMES = [
  'other/Chart.yaml',
  'Chart.yaml',
  'web/../Chart.yaml',
  'web//etc/passwd',
  '/web/Chart.yaml',
  'web/chart.YAML',
  'web\\Chart.yaml',
  'web/c:/x',
  '../web/x',
  'web/\u0000x',
  'web/e\u0301',
  'web/.',
  './web/Chart.yaml',
];

const text = fc
  .oneof(fc.constant(YAML[0]!), fc.constantFrom(...YAML), fc.constantFrom(...YAML))
  .map((yaml) => Buffer.from(yaml));
const content = fc.oneof(
  { weight: 20, arbitrary: text },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constant(Buffer.from('name: "\xff\xfe"\n', 'latin1')) },
  { weight: 1, arbitrary: fc.nat(400_000).map((size) => Buffer.alloc(size)) },
  { weight: 1, arbitrary: text.map((yaml) => gzipSync(tarOf([entry('web/Chart.yaml', yaml)]))) },
);

const entries = fc.array(
  fc.record<Entry>({
    name: fc.oneof(
      { weight: 30, arbitrary: fc.constantFrom(...NAMES) },
      { weight: 2, arbitrary: fc.constantFrom(...ODD_NAMES) },
      { weight: 1, arbitrary: fc.string({ maxLength: 120, unit: 'binary' }).map((name) => `web/${name}`) },
      { weight: 1, arbitrary: fc.nat(90).map((depth) => `web/${'a/'.repeat(depth)}x`) },
    ),
    type: fc.oneof(
      { weight: 40, arbitrary: fc.constant('0') },
      fc.constantFrom('1', '2', '3', '4', '5', '6', 'x', 'g', 'L', 'K', 'S', 'V', 'M', '\0'),
    ),
    content,
    size: fc.oneof(
      { weight: 40, arbitrary: fc.constant(undefined) },
      fc.constantFrom(0, 1, 511, 512, 10_000, 8_589_934_591),
    ),
  }),
  { maxLength: 5 },
);

function entry(name: string, bytes: Buffer): Entry {
  return { name, type: '0', content: bytes, size: undefined };
}

/** What is done to the tar before it is packed, and to what is packed. */
const damage = fc.oneof(
  { weight: 30, arbitrary: fc.constant({ kind: 'none' } as const) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('cut' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('flip' as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      mask: fc.integer({ min: 1, max: 255 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('append' as const), bytes: fc.uint8Array({ maxLength: 1_200 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'twice' } as const) },
);
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function spoil(bytes: Buffer, how: Damage): Buffer {
  switch (how.kind) {
    case 'none':
      return bytes;
    case 'cut':
      return bytes.subarray(0, Math.floor(bytes.length * how.at));
    case 'flip': {
      const changed = Buffer.from(bytes);
      const at = Math.min(bytes.length - 1, Math.floor(bytes.length * how.at));
      if (at >= 0) changed[at] = changed[at]! ^ how.mask;
      return changed;
    }
    case 'append':
      return Buffer.concat([bytes, how.bytes]);
    case 'twice':
      return Buffer.concat([bytes, bytes]);
  }
}

const bomb = fc.integer({ min: 1, max: 12 }).map((count) => {
  const zeros = Array.from({ length: count }, (_, i) => entry(`web/${i}`, Buffer.alloc(4 * 2 ** 20)));
  return gzipSync(tarOf([entry('web/Chart.yaml', Buffer.from(YAML[0]!)), ...zeros]), { level: 1 });
});

const crowd = fc
  .integer({ min: 9_990, max: 10_010 })
  .map((count) =>
    gzipSync(tarOf(Array.from({ length: count }, (_, i) => entry(`web/${i}`, Buffer.alloc(0)))), { level: 1 }),
  );

export const archive: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 600,
    arbitrary: fc
      .record({ entries, whole: fc.boolean(), inTar: damage, inGzip: damage, header: fc.nat(3) })
      .map(({ entries: list, whole, inTar, inGzip, header }) => {
        // Half of them have what a chart needs, so that what comes after is looked at, too.
        const first = whole ? [entry('web/Chart.yaml', Buffer.from(YAML[0]!))] : [];
        const tar = spoil(tarOf([...first, ...list]), inTar);
        return spoil(header === 0 ? oddGzip(tar) : gzipSync(tar, { level: 1 }), inGzip);
      }),
  },
  { weight: 20, arbitrary: fc.uint8Array({ maxLength: 3_000 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 4, arbitrary: bomb },
  { weight: 1, arbitrary: crowd },
);

/** With every optional field of the header. */
function oddGzip(bytes: Buffer): Buffer {
  const end = Buffer.alloc(8);
  end.writeUInt32LE(crc32(bytes), 0);
  end.writeUInt32LE(bytes.length % 2 ** 32, 4);
  const head = Buffer.from([0x1f, 0x8b, 8, 31, 0, 0, 0, 0, 0, 255, 3, 0, 1, 2, 3]);
  return Buffer.concat([head, Buffer.from('name\0comment\0'), Buffer.from([0, 0]), deflateRawSync(bytes), end]);
}

/** Writes whatever it is told, right sums apart. */
export function tarOf(list: readonly Entry[]): Buffer {
  const blocks = list.flatMap(({ name, type, content: bytes, size }) => {
    const header = Buffer.alloc(512);
    header.write(name, 0, 100, 'utf8');
    header.write('0000644\0', 100);
    header.write('0000000\0', 108);
    header.write('0000000\0', 116);
    header.write(`${(size ?? bytes.length).toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write(type, 156);
    header.write('ustar\u000000', 257);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1_024)]);
}

const provenance = fc.constantFrom(
  '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nname: web\nversion: 1.2.3\n\n...\nfiles:\n  web-1.2.3.tgz: sha256:00\n-----BEGIN PGP SIGNATURE-----\n',
  '-----BEGIN PGP SIGNED MESSAGE-----\n\n-----BEGIN PGP SIGNATURE-----\n',
  `-----BEGIN PGP SIGNED MESSAGE-----\n\n${'- - - '.repeat(3_000)}\n...\n...\n-----BEGIN PGP SIGNATURE-----\n`,
  '',
);

const field = fc.record({
  name: fc.constantFrom('chart', 'prov', 'chart', 'prov', 'other', '', 'chart[0]', '__proto__', 'a[b][c][d]'),
  file: fc.boolean(),
  extra: fc.constantFrom(
    '',
    'Content-Type: application/gzip\r\n',
    'X: \r\n',
    'Content-Transfer-Encoding: base64\r\n',
    ':\r\n',
  ),
  content: fc.oneof(
    { weight: 3, arbitrary: archive },
    provenance.map((words) => Buffer.from(words)),
  ),
});

export interface Upload {
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
  /** Bytes after which the client goes away. */
  readonly abortAt: number | undefined;
}

/** Bodies of both kinds, cut, wrongly announced, given up. */
export const upload: fc.Arbitrary<Upload> = fc
  .record({
    where: fc.constantFrom('/api/charts', '/api/charts?force', '/api/charts', '/api/prov'),
    form: fc.boolean(),
    raw: archive,
    fields: fc.array(field, { maxLength: 4 }),
    type: fc.oneof(
      { weight: 8, arbitrary: fc.constant('multipart/form-data; boundary=xyz') },
      fc.constantFrom(
        'multipart/form-data',
        'multipart/form-data; boundary=other',
        'multipart/mixed; boundary=xyz',
        'x/y',
      ),
    ),
    damage,
    abortAt: fc.oneof(
      { weight: 9, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
    ),
  })
  .map(({ where, form, raw, fields, type, damage: how, abortAt }) => {
    const body = form ? spoil(formOf(fields), how) : raw;
    return {
      path: where,
      type: form ? type : 'application/octet-stream',
      body,
      abortAt: abortAt === undefined ? undefined : Math.floor(body.length * abortAt),
    };
  });

function formOf(fields: readonly { name: string; file: boolean; extra: string; content: Buffer }[]): Buffer {
  const parts = fields.flatMap(({ name, file, extra, content: bytes }) => [
    Buffer.from(
      `--xyz\r\nContent-Disposition: form-data; name="${name}"${file ? '; filename="../a.tgz"' : ''}\r\n${extra}\r\n`,
    ),
    bytes,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...parts, Buffer.from('--xyz--\r\n')]);
}
