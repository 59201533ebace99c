import { randomFillSync } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const MiB = 1024 * 1024;

/** Random bytes: they do not compress, so what is measured out here is what travels. */
export async function writeRandomFile(path: string, sizeMiB: number): Promise<void> {
  const chunk = Buffer.allocUnsafe(MiB);
  function* chunks(): Generator<Buffer> {
    for (let written = 0; written < sizeMiB; written++) yield Buffer.from(randomFillSync(chunk));
  }
  await pipeline(Readable.from(chunks()), createWriteStream(path));
}

/** A build context whose image is FROM scratch, as no base image can be pulled where these tests run. */
export async function writeBuildContext(path: string, layersMiB: readonly number[]): Promise<string> {
  await mkdir(path, { recursive: true });
  const lines = ['FROM scratch'];
  for (const [index, size] of layersMiB.entries()) {
    await writeRandomFile(join(path, `layer-${index}.bin`), size);
    lines.push(`COPY layer-${index}.bin /layer-${index}.bin`);
  }
  await writeFile(join(path, 'Dockerfile'), `${lines.join('\n')}\nCMD ["/layer-0.bin"]\n`);
  return path;
}
