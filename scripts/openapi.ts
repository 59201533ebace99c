/** `npm run openapi`: writes docs/openapi.json from the route table. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openApi } from '../src/api/openapi.ts';
import { apiRoutes } from '../src/api/routes.ts';

const file = fileURLToPath(new URL('../docs/openapi.json', import.meta.url));
// Handlers are only described, never called, so they need no database.
writeFileSync(file, JSON.stringify(openApi(apiRoutes({} as Parameters<typeof apiRoutes>[0]))));
execFileSync('oxfmt', [file]);
console.log('docs/openapi.json is up to date');
