/** The settings as people read them. */
import type { Reading } from '../config.ts';
import { flagOf, settingEntries } from './settings.ts';

const INTRODUCTION = `# Configuration

Berth needs no configuration to start. A setting is taken from the first place that has it: a flag of \`berth serve\`, the
environment, the YAML file that \`--config\` or \`BERTH_CONFIG\` names, the default. An unknown \`BERTH_…\` variable or key in
the file is an error, so that a typing mistake does not go unseen. \`berth config\` shows what is in force and where it
comes from; \`berth doctor\` tries it out.

Secrets have no flag. Each can be given as a file instead: the variable's name with \`_FILE\`, for example
\`DATABASE_URL_FILE=/run/secrets/database-url\`.

Keys with a dot are nested in the file:

\`\`\`yaml
host: 0.0.0.0
public_url: [https://hub.example.com]
s3:
  bucket: berth
  region: eu-central-1
\`\`\`

This page is made from the code by \`npm run docs\`.
`;

/** The content of docs/configuration.md. */
export function configurationPage(): string {
  const rows = settingEntries.map(([, definition]) => {
    const shown = definition.defaultIs ?? `\`${definition.default}\``;
    const flag = definition.secret ? '' : `\`--${flagOf(definition)}\``;
    return `| \`${definition.env}\` | \`${definition.key}\` | ${flag} | ${shown} | ${definition.doc} |`;
  });
  return [
    INTRODUCTION,
    '| environment | file | flag | default | what it is |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** What `berth config` prints: value and source of each setting, secrets hidden. */
export function settingsTable({ values, sources }: Pick<Reading, 'values' | 'sources'>): string {
  const rows = settingEntries.map(([name, definition]) => {
    const value = values[name];
    const shown = definition.secret ? '(hidden)' : String(value);
    return [definition.env, value === undefined ? `(${definition.defaultIs})` : shown, sources[name] ?? 'default'];
  });
  const width = (column: number) => Math.max(...rows.map((row) => row[column]!.length));
  const lines = rows.map(([a, b, c]) => `${a!.padEnd(width(0))}  ${b!.padEnd(width(1))}  ${c}`);
  return `${lines.join('\n')}\n`;
}
