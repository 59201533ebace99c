/**
 * Gets a file under a name of its own, goes on where an earlier try ended, and gives it its final name only when all bytes are
 * there and right.
 */
import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CliError, printable } from './errors.ts';
import { accept, Unreachable, type Hub } from './http.ts';
import { digestOf } from './local-files.ts';
import type { FileProgress } from './progress.ts';

export interface Wanted {
  /** On the hub. */
  readonly path: string;
  readonly digest: string;
  readonly size: number;
  /** Where it goes. */
  readonly place: string;
}

/** @throws {CliError} when what came is not what the digest says; nothing is at `place` then but what was there before */
export async function download(
  hub: Hub,
  wanted: Wanted,
  progress: FileProgress,
  note: (line: string) => void,
): Promise<'written' | 'unchanged'> {
  const { place, digest, size } = wanted;
  const there = await lstat(place).catch(() => undefined);
  if (there?.isFile() && there.size === size && (await digestOf(place)) === digest) return 'unchanged';
  const draft = draftFor(place, digest);
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  const file = await open(draft, O_RDWR | O_CREAT | (O_NOFOLLOW ?? 0), 0o666);
  let right: boolean;
  try {
    right = await fetchInto(file, hub, wanted, progress, note);
    // What an earlier try left may be anything; from the start it is the hub that is wrong.
    if (!right) {
      await file.truncate(0);
      right = await fetchInto(file, hub, wanted, progress, note);
    }
    if (right) await file.datasync();
  } finally {
    await file.close();
  }
  if (!right) {
    await rm(draft, { force: true });
    throw new CliError(
      `${printable(place)} came with other bytes than its digest says; nothing was written. Was it changed meanwhile?`,
    );
  }
  await rename(draft, place);
  return 'written';
}

/** Beside its place, since only within a folder a rename is sure to be one. */
function draftFor(place: string, digest: string): string {
  const name = Buffer.from(basename(place)).subarray(0, 200).toString('utf8').replaceAll('\ufffd', '');
  return join(dirname(place), `.${name}.${digest.slice(7, 19)}.berth-part`);
}

/** @returns whether the bytes are right */
async function fetchInto(
  file: FileHandle,
  hub: Hub,
  wanted: Wanted,
  progress: FileProgress,
  note: (line: string) => void,
): Promise<boolean> {
  const { digest, size } = wanted;
  let { hash, offset } = await hashOf(file, size);
  if (offset > 0) {
    note(`${basename(wanted.place)}: going on at ${offset.toLocaleString('en')} of ${size.toLocaleString('en')} bytes`);
  }
  progress.at(offset);
  await hub.persist(printable(basename(wanted.place)), async (progressed) => {
    if (offset >= size) return;
    const headers = { ...(offset > 0 && { Range: `bytes=${offset}-`, 'If-Range': `"${digest}"` }) };
    const answer = await accept(await hub.send({ method: 'GET', path: wanted.path, headers }));
    const start = answer.status === 206 ? Number(/^bytes (\d+)-/.exec(answer.header('content-range') ?? '')?.[1]) : 0;
    if (start !== offset) {
      if (start !== 0) throw new CliError('The hub sent another part than it was asked for');
      ({ hash, offset } = { hash: createHash('sha256'), offset: 0 });
      await file.truncate(0);
      progress.at(0);
    }
    try {
      for await (const chunk of answer.message as AsyncIterable<Buffer>) {
        if (offset + chunk.length > size) throw new CliError('The hub sent more than the file has');
        for (let at = 0; at < chunk.length;)
          at += (await file.write(chunk, at, chunk.length - at, offset + at)).bytesWritten;
        hash.update(chunk);
        offset += chunk.length;
        progress.add(chunk.length);
        progressed();
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (error instanceof CliError || code === 'ENOSPC' || code === 'EIO' || code === 'EDQUOT') throw error;
      throw new Unreachable('The connection was cut');
    }
    if (offset < size) throw new Unreachable('The connection was cut');
  });
  return `sha256:${hash.digest('hex')}` === digest;
}

/** Of what an earlier try left. */
async function hashOf(file: FileHandle, size: number): Promise<{ hash: Hash; offset: number }> {
  const hash = createHash('sha256');
  if ((await file.stat()).size > size) await file.truncate(0);
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  let offset = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
    if (bytesRead === 0) return { hash, offset };
    hash.update(buffer.subarray(0, bytesRead));
    offset += bytesRead;
  }
}
