/** `npm run openapi`: writes docs/openapi.json from the route table. */
import { writeFile } from 'node:fs/promises';
import { openApiText } from '../src/api/openapi.ts';
import { apiRoutes } from '../src/api/routes.ts';

const file = new URL('../docs/openapi.json', import.meta.url);
// Handlers are only described, never called, so they need no database.
await writeFile(file, openApiText(apiRoutes({} as Parameters<typeof apiRoutes>[0])));
console.log('docs/openapi.json is up to date');
