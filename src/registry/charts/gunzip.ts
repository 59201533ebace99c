/**
 * Exactly one gzip member (RFC 1952) and nothing else. Readers differ in what they make of a second member or of bytes
 * behind the last one, so an archive with either would hold two different charts.
 */
import { createInflateRaw, crc32 } from 'node:zlib';
import { CHART_LIMITS } from './limits.ts';
import { ChartRefused } from './refused.ts';

const FHCRC = 2;
const FEXTRA = 4;
const FNAME = 8;
const FCOMMENT = 16;
const TRAILER = 8;

/** What may still be read; archives inside an archive share it. */
export interface Budget {
  unpacked: number;
  entries: number;
  /** Bytes in memory. */
  kept: number;
  yaml: number;
}

/** @throws {ChartRefused} */
export async function* gunzip(packed: Buffer, budget: Budget): AsyncGenerator<Buffer> {
  const start = endOfHeader(packed);
  const inflate = createInflateRaw();
  inflate.end(packed.subarray(start));
  let [total, sum] = [0, 0];
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      total += chunk.length;
      budget.unpacked -= chunk.length;
      if (budget.unpacked < 0) {
        throw new ChartRefused(`decompressed chart is larger than the maximum file size ${CHART_LIMITS.unpacked}`);
      }
      if (total > CHART_LIMITS.ratioFrom && total > CHART_LIMITS.ratio * packed.length) {
        throw new ChartRefused(`the archive unpacks to more than ${CHART_LIMITS.ratio} times its size`);
      }
      sum = crc32(chunk, sum);
      yield chunk;
    }
  } catch (error) {
    if (isZlib(error)) throw new ChartRefused(`gzip: ${(error as Error).message}`);
    throw error;
  }
  const trailer = start + inflate.bytesWritten;
  if (packed.length < trailer + TRAILER) throw new ChartRefused('gzip: unexpected end of file');
  if (packed.readUInt32LE(trailer) !== sum || packed.readUInt32LE(trailer + 4) !== total % 2 ** 32) {
    throw new ChartRefused('gzip: invalid checksum');
  }
  if (packed.length > trailer + TRAILER) {
    throw new ChartRefused('the archive goes on behind the end of its gzip stream; pack it again with helm package');
  }
}

function endOfHeader(packed: Buffer): number {
  if (packed.length < 10 || packed[0] !== 0x1f || packed[1] !== 0x8b || packed[2] !== 8) {
    throw new ChartRefused('gzip: invalid header: the file does not appear to be a gzipped archive');
  }
  const flags = packed[3] as number;
  let at = 10;
  if (flags & FEXTRA) at += 2 + (at + 2 <= packed.length ? packed.readUInt16LE(at) : packed.length);
  for (const text of [FNAME, FCOMMENT]) {
    if (!(flags & text)) continue;
    const end = packed.indexOf(0, at);
    at = end < 0 ? packed.length : end + 1;
  }
  if (flags & FHCRC) at += 2;
  if (at >= packed.length) throw new ChartRefused('gzip: unexpected end of file');
  return at;
}

function isZlib(error: unknown): boolean {
  return /^Z_|^ERR_/.test((error as { code?: string }).code ?? '');
}
