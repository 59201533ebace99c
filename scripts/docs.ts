/** `npm run docs`: writes docs/configuration.md from the table of settings. */
import { writeFileSync } from 'node:fs';
import { configurationPage } from '../src/config/docs.ts';

writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationPage());
