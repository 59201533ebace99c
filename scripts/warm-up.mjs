// Compiles what a hub loads and keeps the result beside node_modules, so that its first start is as fast, and its
// processes as small, as later ones are.
import '../bin/compile-cache.mjs';

await import('../src/process/serve.ts');
await import('../src/process/prepare.ts');
await import('../src/process/worker-program.ts');
// Last, because it ends the process.
process.argv.splice(2, Infinity, 'version');
await import('../bin/berth.mjs');
