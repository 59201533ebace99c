/** Postgres' own log: a file that both survive, bounded in size. */
import { copyFile, open, stat, truncate } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

const MOST_BYTES = 8 * 1024 * 1024;
const EVERY_MS = 10_000;

/** Opens the log for Postgres to write to. A file, not a pipe, so that Postgres does not depend on the hub's life. */
export function openLog(path: string): Promise<FileHandle> {
  return open(path, 'a', 0o600);
}

/** Keeps the file, and one before it (`.1`), below 8 MiB each, give or take what comes in ten seconds. */
export function boundLog(path: string): Disposable {
  const check = async () => {
    const size = (await stat(path)).size;
    if (size < MOST_BYTES) return;
    // Postgres appends to the open file, so it is emptied in place rather than renamed.
    await copyFile(path, `${path}.1`);
    await truncate(path, 0);
  };
  const timer = setInterval(() => void check().catch(() => {}), EVERY_MS).unref();
  void check().catch(() => {});
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** The last lines, for error messages. */
export async function tailOfLog(path: string, from: number): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const start = Math.max(from <= size ? from : 0, size - 4096);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.subarray(0, bytesRead).toString().trim().split('\n').slice(-8).join('\n');
  } finally {
    await file.close();
  }
}
