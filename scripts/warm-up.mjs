// Looks at what a hub must not start with (promise P12), compiles what it loads and keeps the result beside node_modules, so that its first start is as fast, and its
// processes as small, as later ones are. Code is kept apart for each set of V8's flags: once for commands and the primary
// process, once for workers.
import '../bin/compile-cache.mjs';
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { markWarm } from '../bin/warm.mjs';

const src = new URL('../src/', import.meta.url);
const forWorkers = process.argv.includes('--workers');
if (!forWorkers) {
  // Before anything else, since a hub must not start with such a table: 3 is for who asked.
  try {
    (await import('../src/process/policies.ts')).requirePoliciesOfDoors();
  } catch (error) {
    console.error(`berth: ${error.message}`);
    process.exit(3);
  }
  const { WORKER_FLAGS } = await import('../src/process/worker-flags.ts');
  const again = [...WORKER_FLAGS, fileURLToPath(import.meta.url), '--workers'];
  spawn(process.execPath, again, { stdio: 'inherit' }).once('exit', () => void compileMain());
}
for (const file of globSync('**/*.ts', { cwd: src })) {
  if (file !== 'main.ts') await import(new URL(file, src));
}
// Importing a worker's program makes this process wait for its primary.
if (forWorkers) process.exit();

/** Last, because it ends the process. */
async function compileMain() {
  markWarm();
  process.argv.splice(2, Infinity, 'version');
  await import('../src/main.ts');
}
