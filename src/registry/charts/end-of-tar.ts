/**
 * A block of zeros where a header should be ends an archive for Go and GNU tar; tar-stream reads on. What stands behind the
 * end would be in the chart for some readers and not for others, so there must be nothing.
 */
import { ChartRefused } from './refused.ts';

const BLOCK = 512;
const ZEROS = Buffer.alloc(BLOCK);

export interface EndWatch {
  /** Passes the archive on, block by block. */
  watch(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer>;
  /** Call it for each entry, with where its header starts. @throws {ChartRefused} when the archive had ended before */
  check(offset: number, size: number): void;
}

export function createEndWatch(): EndWatch {
  /** Starts of blocks that hold nothing but zeros, after the last entry's header. */
  let zeros: number[] = [];
  let position = 0;
  let contentEnd = 0;
  return {
    async *watch(bytes) {
      let rest: Buffer = Buffer.alloc(0);
      for await (const chunk of bytes) {
        const joined = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        const whole = joined.length - (joined.length % BLOCK);
        for (let at = 0; at < whole; at += BLOCK) {
          if (joined[at] === 0 && joined.compare(ZEROS, 0, BLOCK, at, at + BLOCK) === 0) zeros.push(position + at);
        }
        position += whole;
        rest = joined.subarray(whole);
        if (whole > 0) yield joined.subarray(0, whole);
      }
      if (rest.length > 0) yield rest;
    },
    check(offset, size) {
      if (zeros.some((start) => start >= contentEnd && start < offset)) {
        throw new ChartRefused('the archive goes on behind its end; pack it again with helm package');
      }
      contentEnd = offset + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
      zeros = zeros.filter((start) => start >= contentEnd);
    },
  };
}
