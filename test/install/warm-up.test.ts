/** What is compiled ahead is what the processes of a hub load: the machinery that strips types would stay in each that uses it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { WORKER_FLAGS } from '../../src/process/worker-flags.ts';

const ROOT = new URL('../../', import.meta.url);
const run = promisify(execFile);

/** Of Node's own modules, those that a process has loaded once it has loaded a file of ours. */
async function loadedWith(flags: readonly string[], file: string): Promise<string> {
  const script = `
    await import(${JSON.stringify(new URL('bin/compile-cache.mjs', ROOT).href)});
    await import(${JSON.stringify(new URL(file, ROOT).href)});
    process.stdout.write(process.moduleLoadList.join());
    process.exit();`;
  return (await run(process.execPath, [...flags, '--input-type=module', '--eval', script], { maxBuffer: 2 ** 22 }))
    .stdout;
}

test('a primary and a worker strip no types, and a worker does not load fetch', { timeout: 60_000 }, async () => {
  await run(process.execPath, [fileURLToPath(new URL('scripts/warm-up.mjs', ROOT))]);
  const primary = await loadedWith([], 'src/process/serve.ts');
  const worker = await loadedWith(WORKER_FLAGS, 'src/process/worker-program.ts');
  for (const loaded of [primary, worker]) {
    expect(loaded).toContain('NativeModule events');
    expect(loaded).not.toContain('amaro');
  }
  expect(worker).not.toContain('undici');
});
