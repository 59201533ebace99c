// The machinery that strips TypeScript's types stays in the process that has used it once, for as long as a hub runs. So what
// has changed since the last start is compiled first, in processes that end; and before that, looked at.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import * as module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PATIENCE_MS = 30_000;
/** A route has no policy. */
const UNSAFE = 3;

/**
 * Costs a second after an update, a few milliseconds otherwise. Without a folder for what is compiled it costs that second each
 * time; when it only fails to compile, the hub starts as well without.
 */
export function warmUp() {
  const mark = markFile();
  if (mark !== undefined && read(mark) === stateOfSource()) return;
  const script = fileURLToPath(new URL('../scripts/warm-up.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: PATIENCE_MS,
  });
  if (status !== UNSAFE) return;
  process.stderr.write(stderr);
  process.exit(1);
}

/** Remembers that these sources were looked at and compiled. */
export function markWarm() {
  const mark = markFile();
  try {
    if (mark !== undefined) writeFileSync(mark, stateOfSource());
  } catch {
    // A read-only file system.
  }
}

function markFile() {
  const cache = module.getCompileCacheDir?.();
  return cache === undefined ? undefined : join(dirname(cache), 'warm');
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
