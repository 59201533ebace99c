/** A version, or a folder of it, as one zip or tar: made while it is sent, with one file open at a time. */
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Context } from 'koa';
import { pack } from 'tar-stream';
import { ZipFile } from 'yazl';
import { verified } from '../blobs/verify.ts';
import { stream } from '../http/send.ts';
import { findBlob, readBlob } from '../registry/blobs.ts';
import { listFiles } from '../registry/files/read.ts';
import type { File } from '../registry/files/manifest.ts';
import { baseName } from '../registry/files/path.ts';
import { unknownFile } from '../registry/files/put.ts';
import { unknownVersion, type FoundVersion } from '../registry/files/versions.ts';
import type { Repository } from '../registry/repositories.ts';
import { FileError } from './errors.ts';
import type { FilesDoor } from './guard.ts';
import { attach } from './safety.ts';

export async function sendArchive(
  door: FilesDoor,
  ctx: Context,
  repository: Repository,
  version: FoundVersion,
  folder: string,
): Promise<void> {
  const format = ctx.query['archive'];
  if (format !== 'zip' && format !== 'tar') {
    throw new FileError(400, 'request-invalid', 'archive is zip or tar');
  }
  const all = await listFiles(door.registry, repository, version);
  if (!all) throw unknownVersion();
  const files = all.filter(({ path }) => path.startsWith(folder));
  if (files.length === 0) throw unknownFile();
  ctx.set('Cache-Control', 'private, no-cache');
  const stem = `${baseName(repository.path)}-${(version.tag ?? version.digest).replace(':', '-')}`;
  attach(ctx, `${stem}.${format}`);
  ctx.set('Content-Type', format === 'zip' ? 'application/zip' : 'application/x-tar');
  ctx.status = 200;
  const open = (file: File) => contentOf(door, repository, file);
  await stream(ctx, undefined, async () => (format === 'zip' ? zipped(files, open) : tarred(files, open)));
}

type Open = (file: File) => AsyncIterable<Buffer>;

/** The same files give the same archive. */
const MTIME = new Date('1980-01-01T00:00:00Z');
const MODE = 0o644;

async function* contentOf(
  { registry, verifyReads }: FilesDoor,
  repository: Repository,
  file: File,
): AsyncGenerator<Buffer> {
  if (file.size === 0) return;
  const blob = await findBlob(registry, repository, file.digest, false);
  if (!blob) throw unknownFile();
  const stored = await readBlob(registry, blob);
  const bytes = verifyReads ? verified(stored, file.digest, blob.size) : stored;
  if (Buffer.isBuffer(bytes)) yield bytes;
  // The store's chunks are only valid until the next one, and an archive keeps some for a while.
  else for await (const chunk of bytes) yield Buffer.from(chunk);
}

async function* tarred(files: readonly File[], open: Open): AsyncGenerator<Buffer> {
  const archive = pack();
  const written = (async () => {
    for (const file of files) {
      const header = { name: file.path, size: file.size, mode: MODE, mtime: MTIME };
      await pipeline(Readable.from(open(file)), archive.entry(header) as unknown as Writable);
    }
    archive.finalize();
  })().catch((error: unknown) => archive.destroy(error as Error));
  try {
    yield* archive as AsyncIterable<Buffer>;
  } finally {
    archive.destroy();
    await written;
  }
}

/** Stored, not deflated: what is uploaded is mostly compressed. */
async function* zipped(files: readonly File[], open: Open): AsyncGenerator<Buffer> {
  const archive = new ZipFile();
  const output = archive.outputStream as Readable;
  let current: Readable | undefined;
  archive.on('error', (error: Error) => output.destroy(error));
  for (const file of files) {
    const entry = { mtime: MTIME, mode: 0o100000 | MODE, compress: false, size: file.size };
    archive.addReadStreamLazy(file.path, entry, (give) => {
      current = Readable.from(open(file), { objectMode: false });
      // yazl does not listen to what it is given; unheard, the error would end the process.
      current.on('error', (error) => output.destroy(error));
      give(null, current);
    });
  }
  archive.end();
  try {
    yield* output as AsyncIterable<Buffer>;
  } finally {
    current?.destroy();
    output.destroy();
  }
}
