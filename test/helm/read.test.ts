import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/registry/charts/read.ts';
import { chart, tar, tgz, type Entry } from './charts.ts';

const CHART_YAML: Entry = { name: 'web/Chart.yaml', content: 'apiVersion: v2\nname: web\nversion: 1.2.3\n' };

const packed = async (...more: Entry[]) => tgz([CHART_YAML, ...more]);
const withYaml = async (content: string | Buffer) => tgz([{ name: 'web/Chart.yaml', content }]);

describe('a chart', () => {
  it('is read with all of its fields, in the order that helm writes them', async () => {
    const { bytes } = await chart({
      metadata: {
        home: 'https://example.test/<&>',
        appVersion: '2.0',
        deprecated: true,
        keywords: ['a', 'b'],
        maintainers: [{ email: 'a@example.test', name: 'A\u00a0B' }],
        annotations: { b: 'x', a: 'z' },
        dependencies: [{ name: 'db', version: '1.x', repository: 'oci://example.test', tags: ['t'], enabled: true }],
        type: 'application',
      },
    });
    const { metadata } = await readChart(bytes);
    expect(JSON.stringify(metadata)).toBe(
      '{"name":"web","home":"https://example.test/<&>","version":"1.2.3","keywords":["a","b"],' +
        '"maintainers":[{"name":"A B","email":"a@example.test"}],"apiVersion":"v2","appVersion":"2.0","deprecated":true,' +
        '"annotations":{"a":"z","b":"x"},"dependencies":[{"name":"db","version":"1.x","repository":"oci://example.test",' +
        '"tags":["t"],"enabled":true}],"type":"application"}',
    );
  });

  it('may be made on Windows, have a byte order mark, links and folders, and keys in any case', async () => {
    const bytes = await tgz([
      { name: 'web', type: 'directory' },
      { name: String.raw`web\Chart.yaml`, content: '\ufeffApiVersion: v2\nNAME: web\nversion: 1.2.3\n' },
      { name: 'web/values.yaml', type: 'symlink', linkname: '/etc/passwd' },
      { name: 'web/device', type: 'character-device' },
      { name: String.raw`web\templates\a.yaml`, content: 'a' },
    ]);
    const { metadata, files } = await readChart(bytes);
    expect(metadata.name).toBe('web');
    expect([...files.keys()]).toEqual(['Chart.yaml', 'templates/a.yaml']);
  });

  it('may say numbers where text is meant', async () => {
    const { metadata } = await readChart(await withYaml('name: web\nversion: 1\nappVersion: 1.10\ndescription: yes\n'));
    expect(metadata).toEqual({
      name: 'web',
      version: '1',
      description: 'true',
      apiVersion: 'v1',
      appVersion: '1.1',
    });
  });

  it('may have dependencies in requirements.yaml and pinned ones in its lock', async () => {
    const bytes = await packed(
      { name: 'web/requirements.yaml', content: 'dependencies:\n- name: db\n  repository: "@x"\n' },
      { name: 'web/requirements.lock', content: 'dependencies:\n- name: db\n  version: 1.0.0\n  repository: "@x"\n' },
    );
    const { metadata, lock } = await readChart(bytes);
    expect(metadata.dependencies).toEqual([{ name: 'db', repository: '@x' }]);
    expect(lock).toMatchObject({ dependencies: [{ version: '1.0.0' }] });
  });

  it('may have sub-charts, packed and unpacked', async () => {
    const inner = await chart({ name: 'inner', version: '0.1.0' });
    const bytes = await packed(
      { name: 'web/charts/inner-0.1.0.tgz', content: inner.bytes },
      { name: 'web/charts/other/Chart.yaml', content: 'name: other\nversion: 1.0.0\n' },
      { name: 'web/charts/README.md', content: 'not a chart' },
      { name: 'web/charts/_ignored/Chart.yaml', content: ']' },
    );
    expect((await readChart(bytes)).metadata.name).toBe('web');
  });

  it('may repeat keys in its values, as helm lets it, and have aliases', async () => {
    await readChart(await packed({ name: 'web/values.yaml', content: 'a: &x 1\nb: *x\na: 2\n---\nmore: 1\n' }));
  });
});

describe('refused, with the reason that helm gives', () => {
  it.each<[string, () => Promise<Buffer>, RegExp]>([
    ['something else', async () => Buffer.from('hello'), /gzip: invalid header/],
    ['nothing', async () => Buffer.alloc(0), /gzip: invalid header/],
    ['an empty archive', () => tgz([]), /no files in chart archive/],
    ['no Chart.yaml', () => tgz([{ name: 'web/values.yaml' }]), /Chart\.yaml file is missing/],
    ['Chart.yaml at the top', () => tgz([{ name: 'Chart.yaml', content: 'name: a' }]), /outside the base|not in base/],
    ['an absolute path', () => packed({ name: 'web//etc/passwd' }), /absolute paths/],
    ['a parent path', () => packed({ name: 'web/../../x' }), /references parent directory/],
    ['a path outside', () => packed({ name: 'web/a/..' }), /outside the base directory/],
    ['a drive', () => packed({ name: 'web/c:/x' }), /illegally named/],
    ['two folders', () => packed({ name: 'other/x' }), /two folders/],
    ['two Chart.yaml', () => packed(CHART_YAML), /twice/],
    ['two that differ in case', () => packed({ name: 'web/chart.YAML', content: 'name: b' }), /twice/],
    ['two that differ in form', () => packed({ name: 'web/e\u0301' }, { name: 'web/\u00e9' }), /twice/],
    ['a long path', () => packed({ name: `web/${'a/'.repeat(40)}x` }), /too long or too deep/],
    ['a large file', () => packed({ name: 'web/x', content: Buffer.alloc(5 * 2 ** 20 + 1) }), /maximum file size/],
    ['a link with a content', async () => gzipSync(await symlinkWithContent()), /with a content/],
    ['a second member', async () => Buffer.concat([await packed(), gzipSync('')]), /goes on behind/],
    ['trailing bytes', async () => Buffer.concat([await packed(), Buffer.from('x')]), /goes on behind/],
    ['a cut stream', async () => (await packed()).subarray(0, -20), /unexpected end/],
    ['a cut trailer', async () => (await packed()).subarray(0, -1), /unexpected end/],
    ['a wrong sum', async () => withByte(await packed(), -6), /invalid checksum|invalid/],
    [
      'entries behind the end',
      async () => gzipSync(Buffer.concat([await tar([CHART_YAML]), await tar([CHART_YAML])])),
      /behind its end/,
    ],
    ['a cut tar', async () => gzipSync((await tar([CHART_YAML])).subarray(0, 700)), /archive\/tar/],
    ['garbage for tar', async () => gzipSync(Buffer.alloc(4096, 'x')), /archive\/tar/],
    ['no name', () => withYaml('version: 1.0.0\n'), /chart\.metadata\.name is required/],
    ['a name that is a path', () => withYaml('name: a/b\nversion: 1.0.0\n'), /"a\/b" is invalid/],
    ['a name ..', () => withYaml('name: ..\nversion: 1.0.0\n'), /not allowed/],
    ['no version', () => withYaml('name: web\n'), /chart\.metadata\.version is required/],
    ['no semantic version', () => withYaml('name: web\nversion: latest\n'), /"latest" is invalid/],
    ['a prerelease 01', () => withYaml('name: web\nversion: 1.0.0-01\n'), /is invalid/],
    ['another type', () => withYaml('name: web\nversion: 1.0.0\ntype: x\n'), /application or library/],
    [
      'a list for a name',
      () => withYaml('name: [web]\nversion: 1.0.0\n'),
      /cannot unmarshal array.*Metadata\.name of type string/,
    ],
    [
      'a text for a flag',
      () => withYaml('name: web\nversion: 1.0.0\ndeprecated: "true"\n'),
      /Metadata\.deprecated of type bool/,
    ],
    ['null maintainers', () => withYaml('name: web\nversion: 1.0.0\nmaintainers: [null]\n'), /empty or null nodes/],
    [
      'two of one alias',
      () => withYaml('name: web\nversion: 1.0.0\ndependencies: [{name: a}, {name: a}]\n'),
      /more than one dependency/,
    ],
    [
      'a bad alias',
      () => withYaml('name: web\nversion: 1.0.0\ndependencies: [{name: a, alias: "a b"}]\n'),
      /disallowed characters/,
    ],
    ['a repeated key', () => withYaml('name: web\nname: other\nversion: 1.0.0\n'), /cannot load Chart\.yaml.*unique/],
    ['a key in two cases', () => withYaml('name: web\nNAME: other\nversion: 1.0.0\n'), /two spellings/],
    ['no mapping', () => withYaml('- a\n'), /cannot unmarshal array/],
    ['no YAML', () => withYaml('a: [\n'), /cannot load Chart\.yaml/],
    ['no UTF-8', () => withYaml(Buffer.from('name: "\xff"\n', 'latin1')), /not valid UTF-8/],
    [
      'values that are no YAML',
      () => packed({ name: 'web/values.yaml', content: 'a: b: c' }),
      /cannot load values\.yaml/,
    ],
    ['many laughs', () => withYaml(laughs()), /alias/i],
    ['a deep nest', () => withYaml('['.repeat(100_000)), /cannot load Chart\.yaml/],
    ['much YAML', () => withYaml(`a: ${'x'.repeat(2 ** 20)}\n`), /more than 1048576 bytes/],
    [
      'a broken sub-chart',
      () => packed({ name: 'web/charts/a/Chart.yaml', content: 'name: a\n' }),
      /error unpacking subchart a in web: validation: chart\.metadata\.version/,
    ],
    [
      'a broken packed sub-chart',
      () => packed({ name: 'web/charts/a.tgz', content: 'x' }),
      /error unpacking subchart a\.tgz in web: gzip/,
    ],
    ['files in a packed name', () => packed({ name: 'web/charts/a.tgz/x', content: 'x' }), /expected a\.tgz, got x/],
  ])('%s', async (_what, make, reason) => {
    await expect(readChart(await make())).rejects.toThrow(reason);
  });

  it('bombs: by ratio, by size, by number of entries, and in sub-charts', async () => {
    const zeros = (count: number, folder = 'web') =>
      Array.from({ length: count }, (_, i) => ({ name: `${folder}/z${i}`, content: Buffer.alloc(5 * 2 ** 20) }));
    await expect(readChart(await packed(...zeros(3)))).rejects.toThrow(/200 times its size/);
    const entries = Array.from({ length: 10_001 }, (_, i) => ({ name: `web/${i}` }));
    await expect(readChart(await packed(...entries))).rejects.toThrow(/more than 10000 entries/);
    const inner = await tgz([{ name: 'a/Chart.yaml', content: 'name: a\nversion: 1.0.0\n' }, ...zeros(3, 'a')]);
    await expect(readChart(await packed({ name: 'web/charts/a.tgz', content: inner }))).rejects.toThrow(
      /error unpacking subchart a\.tgz in web: the archive unpacks/,
    );
  });

  it('archives in archives in archives', async () => {
    let bytes = await packed();
    for (let depth = 0; depth < 10; depth++) bytes = await packed({ name: 'web/charts/web.tgz', content: bytes });
    await expect(readChart(bytes)).rejects.toThrow(/nest deeper than 8/);
  });

  it('never touches the prototype of objects', async () => {
    await readChart(
      await withYaml('name: web\nversion: 1.0.0\n__proto__: {polluted: 1}\nannotations: {__proto__: x}\n'),
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

function laughs(): string {
  const lines = ['a0: &a0 [x, x]'];
  for (let i = 1; i < 12; i++)
    lines.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );
  return `${lines.join('\n')}\nname: web\nversion: 1.0.0\n`;
}

/** A symbolic link whose header says that a content follows; Go reads the next header there. */
async function symlinkWithContent(): Promise<Buffer> {
  const bytes = await tar([CHART_YAML, { name: 'web/x', content: 'y'.repeat(100) }]);
  const header = bytes.indexOf('web/x');
  bytes.write('2', header + 156);
  bytes.write('        ', header + 148);
  let sum = 0;
  for (let i = 0; i < 512; i++) sum += bytes[header + i]!;
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, header + 148);
  return bytes;
}

function withByte(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  const index = bytes.length + at;
  changed[index] = changed[index]! ^ 0xff;
  return changed;
}
