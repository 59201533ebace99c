// The machinery that strips TypeScript's types stays in the process that has used it once, for as long as a hub runs. So what
// has changed since the last start is compiled first, in processes that end.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import * as module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PATIENCE_MS = 30_000;

/** Costs a second after an update, a few milliseconds otherwise. Whatever goes wrong: the hub starts as well without. */
export function warmUp() {
  const cache = module.getCompileCacheDir?.();
  if (cache === undefined) return;
  const mark = join(dirname(cache), 'warm');
  try {
    const state = stateOfSource();
    if (read(mark) === state) return;
    // Nothing could be kept in a folder that cannot be written.
    writeFileSync(mark, '');
    const script = fileURLToPath(new URL('../scripts/warm-up.mjs', import.meta.url));
    const { status } = spawnSync(process.execPath, [script], { stdio: 'ignore', timeout: PATIENCE_MS });
    if (status === 0) writeFileSync(mark, state);
  } catch {
    // A read-only file system.
  }
}

/** Changes with every file that is added, removed or written, and with Node. */
function stateOfSource() {
  const src = fileURLToPath(new URL('../src', import.meta.url));
  const files = readdirSync(src, { recursive: true }).filter((name) => name.endsWith('.ts'));
  const newest = Math.max(...files.map((name) => statSync(join(src, name)).mtimeMs));
  return `${process.version} ${files.length} ${newest}`;
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
