/** Chart.yaml as helm loads, cleans and validates it (pkg/chart/metadata.go, dependency.go), with helm's sentences. */
import { sorted } from './go-json.ts';
import { CHART_LIMITS } from './limits.ts';
import { ChartRefused } from './refused.ts';
import { isVersion } from './versions.ts';

export interface Maintainer {
  readonly name?: string;
  readonly email?: string;
  readonly url?: string;
}

export interface Dependency {
  readonly name: string;
  readonly version?: string;
  readonly repository: string;
  readonly condition?: string;
  readonly tags?: readonly string[];
  readonly enabled?: true;
  readonly 'import-values'?: readonly unknown[];
  readonly alias?: string;
}

/** In helm's order of fields, without the empty ones: as JSON it is what helm pushes as the config of a chart. */
export interface ChartMetadata {
  readonly name: string;
  readonly home?: string;
  readonly sources?: readonly string[];
  readonly version: string;
  readonly description?: string;
  readonly keywords?: readonly string[];
  readonly maintainers?: readonly Maintainer[];
  readonly icon?: string;
  readonly apiVersion: string;
  readonly condition?: string;
  readonly tags?: string;
  readonly appVersion?: string;
  readonly deprecated?: true;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly kubeVersion?: string;
  readonly dependencies?: readonly Dependency[];
  readonly type?: string;
}

/** Go takes keys in any case. */
const FIELDS = [
  ...[
    'name',
    'home',
    'sources',
    'version',
    'description',
    'keywords',
    'maintainers',
    'icon',
    'apiVersion',
    'condition',
  ],
  ...['tags', 'appVersion', 'deprecated', 'annotations', 'kubeVersion', 'dependencies', 'type'],
];

/**
 * @param documents Chart.yaml and, where there is one, requirements.yaml, whose fields come after
 * @throws {ChartRefused}
 */
export function readMetadata(documents: readonly { readonly file: string; readonly value: unknown }[]): ChartMetadata {
  const fields = new Map<string, { file: string; value: unknown }>();
  for (const { file, value } of documents) {
    for (const [key, inner] of folded(file, value, 'Metadata', FIELDS)) fields.set(key, { file, value: inner });
  }
  const read = <T>(key: string, as: (at: Place, value: unknown) => T): T | undefined => {
    const field = fields.get(key);
    if (field === undefined || field.value === null || field.value === undefined) return undefined;
    return as({ file: field.file, field: `Metadata.${key}` }, field.value);
  };
  const clean = (key: string) => cleaned(read(key, text));
  const metadata = dropEmpty({
    name: clean('name') ?? '',
    home: clean('home'),
    sources: read('sources', texts)?.map((each) => cleaned(each) ?? ''),
    version: read('version', text) ?? '',
    description: clean('description'),
    keywords: read('keywords', texts)?.map((each) => cleaned(each) ?? ''),
    maintainers: read('maintainers', list)?.map(maintainer),
    icon: clean('icon'),
    // Helm 2 did not ask for it.
    apiVersion: read('apiVersion', text) || 'v1',
    condition: clean('condition'),
    tags: clean('tags'),
    appVersion: clean('appVersion'),
    deprecated: read('deprecated', flag) || undefined,
    annotations: read('annotations', stringMap),
    kubeVersion: clean('kubeVersion'),
    dependencies: read('dependencies', list)?.map(dependency),
    type: read('type', text),
  }) as unknown as ChartMetadata;
  validate(metadata);
  if (JSON.stringify(metadata).length > CHART_LIMITS.entry) {
    throw new ChartRefused(`cannot load Chart.yaml: what it says is longer than ${CHART_LIMITS.entry} characters`);
  }
  return metadata;
}

function validate({ name = '', version = '', type = '', dependencies = [] }: Partial<ChartMetadata>): void {
  if (name === '') throw invalid('chart.metadata.name is required');
  if (name === '.' || name === '..') throw invalid(`chart.metadata.name ${JSON.stringify(name)} is not allowed`);
  if (name.includes('/')) throw invalid(`chart.metadata.name ${JSON.stringify(name)} is invalid`);
  if (version === '') throw invalid('chart.metadata.version is required');
  if (!isVersion(version)) throw invalid(`chart.metadata.version ${JSON.stringify(version)} is invalid`);
  if (!['', 'application', 'library'].includes(type)) {
    throw invalid('chart.metadata.type must be application or library');
  }
  const names = new Set<string>();
  for (const each of dependencies) {
    if (each.alias !== undefined && !/^[a-zA-Z0-9_-]+$/.test(each.alias)) {
      throw invalid(`dependency ${JSON.stringify(each.name)} has disallowed characters in the alias`);
    }
    const key = each.alias ?? each.name;
    if (names.has(key)) throw invalid(`more than one dependency with name or alias ${JSON.stringify(key)}`);
    names.add(key);
  }
}

function maintainer({ value, at }: Element): Maintainer {
  if (value === null) throw invalid('maintainers must not contain empty or null nodes');
  const fields = folded(at.file, value, 'Maintainer', ['name', 'email', 'url']);
  const read = (key: string) => cleaned(optional(fields, key, { file: at.file, field: `Maintainer.${key}` }, text));
  return dropEmpty({ name: read('name'), email: read('email'), url: read('url') }) as Maintainer;
}

function dependency({ value, at: { file } }: Element): Dependency {
  if (value === null) throw invalid('dependencies must not contain empty or null nodes');
  const known = ['name', 'version', 'repository', 'condition', 'tags', 'enabled', 'import-values', 'alias'];
  const fields = folded(file, value, 'Dependency', known);
  const read = <T>(key: string, as: (at: Place, value: unknown) => T) =>
    optional(fields, key, { file, field: `Dependency.${key}` }, as);
  return {
    name: cleaned(read('name', text)) ?? '',
    ...dropEmpty({ version: cleaned(read('version', text)) }),
    repository: cleaned(read('repository', text)) ?? '',
    ...dropEmpty({
      condition: cleaned(read('condition', text)),
      tags: read('tags', texts)?.map((each) => cleaned(each) ?? ''),
      enabled: read('enabled', flag) || undefined,
      'import-values': read('import-values', list)?.map((each) => sorted(each.value)),
      alias: read('alias', text),
    }),
  } as Dependency;
}

interface Place {
  readonly file: string;
  readonly field: string;
}

interface Element {
  readonly at: Place;
  readonly value: unknown;
}

function optional<T>(
  fields: ReadonlyMap<string, unknown>,
  key: string,
  at: Place,
  as: (at: Place, value: unknown) => T,
): T | undefined {
  const value = fields.get(key);
  return value === null || value === undefined ? undefined : as(at, value);
}

/** The known fields of a mapping, by their proper names. @throws {ChartRefused} when one is there in two spellings */
function folded(file: string, value: unknown, struct: string, known: readonly string[]): Map<string, unknown> {
  if (value === null || value === undefined) return new Map();
  if (!isMapping(value)) throw mismatch({ file, field: '' }, value, `chart.${struct}`);
  const names = new Map(known.map((name) => [name.toLowerCase(), name]));
  const fields = new Map<string, unknown>();
  for (const [key, inner] of Object.entries(value)) {
    const name = names.get(key.toLowerCase());
    if (name === undefined) continue;
    if (fields.has(name)) throw new ChartRefused(`cannot load ${file}: it says ${name} twice, in two spellings`);
    fields.set(name, inner);
  }
  return fields;
}

/** Numbers and booleans become text where text is wanted: `appVersion: 1.10` is `1.1`, as for helm. */
function text(at: Place, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw mismatch(at, value, 'string');
}

function flag(at: Place, value: unknown): boolean {
  if (typeof value !== 'boolean') throw mismatch(at, value, 'bool');
  return value;
}

function list(at: Place, value: unknown): Element[] {
  if (!Array.isArray(value)) throw mismatch(at, value, 'array');
  return value.map((each: unknown) => ({ at, value: each }));
}

function texts(at: Place, value: unknown): string[] {
  return list(at, value).map((each) => (each.value === null ? '' : text(at, each.value)));
}

function stringMap(at: Place, value: unknown): Record<string, string> {
  if (!isMapping(value)) throw mismatch(at, value, 'map[string]string');
  return sorted(
    Object.fromEntries(Object.entries(value).map(([key, each]) => [key, each === null ? '' : text(at, each)])),
  ) as Record<string, string>;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As helm's sanitizeString: any space is a plain one, and what cannot be printed is dropped. */
function cleaned(value: string | undefined): string | undefined {
  return value?.replaceAll(/\p{White_Space}/gu, ' ').replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '');
}

/** Go leaves empty fields out. */
function dropEmpty<T extends object>(fields: T): T {
  const entries = Object.entries(fields).filter(
    ([, value]) =>
      value !== undefined && value !== '' && !(typeof value === 'object' && Object.keys(value as object).length === 0),
  );
  return Object.fromEntries(entries) as T;
}

function mismatch({ file, field }: Place, value: unknown, wanted: string): ChartRefused {
  const is = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  const where = field === '' ? `value of type ${wanted}` : `struct field ${field} of type ${wanted}`;
  return new ChartRefused(`cannot load ${file}: json: cannot unmarshal ${is} into Go ${where}`);
}

function invalid(reason: string): ChartRefused {
  return new ChartRefused(`validation: ${reason}`);
}
