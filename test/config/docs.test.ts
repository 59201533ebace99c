import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { configurationPage, settingsTable } from '../../src/config/docs.ts';

test('docs/configuration.md is what `npm run docs` makes', async () => {
  const page = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  expect(page).toBe(configurationPage());
});

test('`berth config` hides secrets', () => {
  const env = {
    DATABASE_URL: 'postgresql://u:hidden@db/berth',
    BERTH_ADMIN_PASSWORD: 'hidden as well',
    BERTH_PORT: '81',
  };
  const table = settingsTable(readConfig({ env }));
  expect(table).not.toContain('hidden@');
  expect(table).not.toContain('hidden as well');
  expect(table).toMatch(/^BERTH_PORT +81 +BERTH_PORT$/m);
  expect(table).toMatch(/^BERTH_HOST +127\.0\.0\.1 +default$/m);
});
