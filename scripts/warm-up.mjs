// Compiles what a hub loads and keeps the result beside node_modules, so that its first start is as fast, and its
// processes as small, as later ones are.
import '../bin/compile-cache.mjs';
import { globSync } from 'node:fs';

const src = new URL('../src/', import.meta.url);
for (const file of globSync('**/*.ts', { cwd: src })) {
  if (file !== 'main.ts') await import(new URL(file, src));
}
// Last, because it ends the process.
process.argv.splice(2, Infinity, 'version');
await import('../bin/berth.mjs');
