#!/usr/bin/env node
// The entry of every command. Plain JavaScript, because an old Node cannot even parse the rest.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [major] = process.versions.node.split('.').map(Number);

if (major >= 24) {
  await import('./compile-cache.mjs');
  if (process.argv[2] === 'serve') (await import('./warm.mjs')).warmUp();
  await import('../src/main.ts');
} else {
  runWithOwnNode();
}

/** npm installed a newer Node beside the other packages. */
function runWithOwnNode() {
  let node;
  try {
    const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
    const packageFile = createRequire(import.meta.url).resolve(`${name}/package.json`);
    node = join(packageFile, '..', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch {
    console.error(
      `berth: Node ${process.versions.node} is too old. Berth needs Node 24 or later, or the one that "npm ci" installs.`,
    );
    process.exitCode = 1;
    return;
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C in a terminal reaches both; what is sent to this process alone is passed on.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code) => process.exit(code ?? 1));
}
