/**
 * index.yaml, put together of the pieces that memory holds. It is JSON, which is YAML that every reader takes, and which helm
 * (3.14 and later) parses many times faster. Nothing in it depends on the time or the host, so equal content has equal bytes.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { keyOf, type ListedChart } from './index-memory.ts';
import type { Namespace } from './names.ts';

export interface IndexFile {
  /** Hex; the same for the same content, on every replica. */
  readonly hash: string;
  bytes(): Buffer;
  /** The same content as one gzip member. */
  gzipped(): Promise<Buffer>;
}

/** By the list that it is made of: who may pull everything gets what the one before got, until something changes. */
const made = new WeakMap<readonly ListedChart[], { readonly namespace: Namespace; readonly file: IndexFile }>();

/** @param charts those that the reader may pull, by name */
export function indexFile(namespace: Namespace, charts: readonly ListedChart[]): IndexFile {
  // Nothing is a list that namespaces share.
  if (charts.length === 0) return makeIndexFile(namespace, charts);
  const known = made.get(charts);
  // The namespace may be called something else by now.
  if (known?.namespace === namespace) return known.file;
  const file = makeIndexFile(namespace, charts);
  made.set(charts, { namespace, file });
  return file;
}

function makeIndexFile(namespace: Namespace, charts: readonly ListedChart[]): IndexFile {
  const head = Buffer.from('{"apiVersion":"v1","entries":{');
  const comma = Buffer.from(',\n');
  const newest = charts.reduce((latest, chart) => (chart.newest > latest ? chart.newest : latest), new Date(0));
  // With all of the path as context, `helm cm-push` posts to <this path>/api/charts.
  const tail = Buffer.from(
    `},"generated":"${newest.toISOString()}","serverInfo":${JSON.stringify({ contextPath: `/charts/${namespace}` })}}\n`,
  );
  const hash = createHash('sha256').update(tail);
  for (const chart of charts) hash.update(chart.sha256);
  let whole: Buffer | undefined;
  let packed: Promise<Buffer> | undefined;
  return {
    hash: hash.digest('hex').slice(0, 40),
    bytes: () => (whole ??= Buffer.concat(pieces())),
    gzipped: () => (packed ??= pack().catch(again)),
  };

  function pieces(): Buffer[] {
    const entries = charts.flatMap((chart, i) => [...(i > 0 ? [comma] : []), keyOf(chart.name), chart.json]);
    return [head, ...entries, tail];
  }

  async function pack(): Promise<Buffer> {
    const entries = await Promise.all(charts.map((chart) => chart.packed()));
    const body = entries.flatMap((entry, i) => (i > 0 ? [stored(comma), entry] : [entry]));
    const plain = pieces();
    const end = Buffer.alloc(10);
    end.writeUInt16LE(EMPTY_LAST_BLOCK, 0);
    end.writeUInt32LE(
      plain.reduce((sum, piece) => crc32(piece, sum), 0),
      2,
    );
    end.writeUInt32LE(plain.reduce((sum, piece) => sum + piece.length, 0) % 2 ** 32, 6);
    return Buffer.concat([GZIP_HEAD, stored(head), ...body, stored(tail), end]);
  }

  function again(error: unknown): never {
    packed = undefined;
    throw error;
  }
}

/** RFC 1952: magic, deflate, no flags, no time, unknown system. */
const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** RFC 1951: a last block with fixed codes that holds nothing. */
const EMPTY_LAST_BLOCK = 0x0003;

/** A stored block of deflate (RFC 1951, 3.2.4): pieces before it end on a byte boundary. */
function stored(bytes: Buffer): Buffer {
  const block = Buffer.alloc(5 + bytes.length);
  block.writeUInt16LE(bytes.length, 1);
  block.writeUInt16LE(~bytes.length & 0xffff, 3);
  bytes.copy(block, 5);
  return block;
}
