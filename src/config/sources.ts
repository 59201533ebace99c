/** Where settings come from: flags over environment over file over default. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ConfigError, didYouMean } from './errors.ts';
import { flagOf, settingEntries, SETTINGS, type SettingName, type Values } from './settings.ts';

type Yaml = { parse(text: string): unknown };
export type Environment = Readonly<Record<string, string | undefined>>;
/** By setting; the config file's path is `config`. */
export type Flags = Readonly<Partial<Record<SettingName | 'config', string>>>;
type Found = Partial<Record<SettingName, { value: string; source: string }>>;

export interface Collected {
  readonly values: Values;
  /** Such as `BERTH_PORT`, `--port`, `berth.yaml` or `default`. */
  readonly sources: Readonly<Partial<Record<SettingName, string>>>;
}

/** Reads and parses all sources. @throws {ConfigError} with every problem there is */
export function collect(env: Environment, flags: Flags): Collected {
  const problems: string[] = [];
  const file = flags.config ?? env['BERTH_CONFIG'];
  const found: Found = {
    ...defaults(),
    ...(file ? fromFile(file, problems) : {}),
    ...fromEnvironment(env, problems),
    ...fromFlags(flags),
  };
  const values: Record<string, unknown> = {};
  const sources: Partial<Record<SettingName, string>> = {};
  for (const [name, definition] of settingEntries) {
    const given = found[name];
    if (given === undefined) continue;
    sources[name] = given.source;
    try {
      values[name] = definition.parse(given.value);
    } catch (error) {
      problems.push(`${given.source} ${(error as Error).message}.`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { values, sources };
}

function defaults(): Found {
  const found: Found = {};
  for (const [name, { default: value }] of settingEntries) {
    if (value !== undefined) found[name] = { value, source: 'default' };
  }
  return found;
}

function fromFlags(flags: Flags): Found {
  const found: Found = {};
  for (const [name, definition] of settingEntries) {
    const value = flags[name];
    if (value !== undefined) found[name] = { value, source: `--${flagOf(definition)}` };
  }
  return found;
}

function fromEnvironment(env: Environment, problems: string[]): Found {
  const found: Found = {};
  const known = new Set(['BERTH_CONFIG']);
  for (const [name, definition] of settingEntries) {
    const value = env[definition.env];
    known.add(definition.env);
    if (value !== undefined && value !== '' && !isFromKubernetes(definition.env, value)) {
      found[name] = { value, source: definition.env };
    }
    if (!definition.secret) continue;
    const fileName = `${definition.env}_FILE`;
    known.add(fileName);
    const path = env[fileName];
    if (!path) continue;
    if (found[name]) problems.push(`${definition.env} and ${fileName} are both set; keep one of them.`);
    const content = read(path, fileName, problems);
    if (content !== undefined) found[name] = { value: content.replace(/\r?\n$/, ''), source: fileName };
  }
  for (const name of Object.keys(env)) {
    // BERTH_CLIENT_ is for commands that talk to a hub as its clients do.
    if (!/^BERTH_(?!TEST_|CLIENT_)/.test(name) || known.has(name)) continue;
    if (isFromKubernetes(name, env[name] ?? '')) continue;
    problems.push(`${name} is not a setting.${didYouMean(name, [...known])}`);
  }
  return found;
}

/** Kubernetes describes a Service called `berth` to every pod in variables that look like settings. */
function isFromKubernetes(name: string, value: string): boolean {
  return (
    /^BERTH_(SERVICE_(HOST|PORT)|PORT_\d+_)/.test(name) || (name === 'BERTH_PORT' && /^(tcp|udp):\/\//.test(value))
  );
}

function fromFile(path: string, problems: string[]): Found {
  const content = read(path, 'The configuration file', problems);
  if (content === undefined) return {};
  let document: unknown;
  try {
    // Loaded only by hubs that have a file.
    document = (createRequire(import.meta.url)('yaml') as Yaml).parse(content);
  } catch (error) {
    problems.push(`${path} is not YAML: ${(error as Error).message.split('\n')[0]}`);
    return {};
  }
  const found: Found = {};
  const byKey = new Map(settingEntries.map(([name, definition]) => [definition.key, name]));
  for (const [key, value] of flatten(document, '')) {
    const name = byKey.get(key);
    if (name === undefined) problems.push(`${key} in ${path} is not a setting.${didYouMean(key, [...byKey.keys()])}`);
    else if (value !== null)
      found[name] = {
        value: ([value].flat() as (string | number | boolean)[]).join(','),
        source: `${SETTINGS[name].key} in ${path}`,
      };
  }
  return found;
}

/** Lists become text with commas, as in the environment. */
function flatten(node: unknown, prefix: string): [string, unknown][] {
  if (node === null || node === undefined) return prefix === '' ? [] : [[prefix, null]];
  if (typeof node !== 'object' || Array.isArray(node)) return [[prefix, node]];
  return Object.entries(node).flatMap(([key, value]) => flatten(value, prefix === '' ? key : `${prefix}.${key}`));
}

function read(path: string, what: string, problems: string[]): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    problems.push(`${what} cannot be read: ${(error as Error).message}`);
    return undefined;
  }
}
