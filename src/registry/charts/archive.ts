/** A packed chart, file by file, in memory: nothing is ever unpacked to disk. The rules are helm's (pkg/chart/loader). */
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';
import { createEndWatch } from './end-of-tar.ts';
import { gunzip, type Budget } from './gunzip.ts';
import { CHART_LIMITS } from './limits.ts';
import { ChartRefused } from './refused.ts';

export interface ChartFile {
  /** Inside the top folder, such as `templates/service.yaml`. */
  readonly path: string;
  readonly size: number;
  /** Undefined when it is not kept: what nobody parses or shows. */
  readonly content: Buffer | undefined;
}

export interface Archive {
  readonly files: ReadonlyMap<string, ChartFile>;
  /** The newest of the files' times: with helm, when it was packed. */
  readonly packedAt: Date | undefined;
}

/** What becomes of a file: helm would parse it, people look at it, or neither. */
export type Use = 'needed' | 'shown' | undefined;

/**
 * Reads a whole archive; contents of no use are read over.
 * @throws {ChartRefused}
 */
export async function readArchive(packed: Buffer, budget: Budget, useOf: (path: string) => Use): Promise<Archive> {
  const reader = createReader(budget, useOf);
  const end = createEndWatch();
  const tar = extract();
  // The first error is the one to tell: what refuses an entry, or the stream below it.
  let refusal: unknown;
  const entries = (async () => {
    for await (const entry of tar) {
      end.check(entry.offset, entry.header.size);
      const file = reader.begin(entry.header);
      for await (const chunk of entry as AsyncIterable<Buffer>) file?.chunks?.push(Buffer.from(chunk));
      if (file) reader.end(entry.header, file);
    }
  })().catch((error: unknown) => {
    refusal ??= error;
    tar.destroy();
  });
  const blocks = end.watch(gunzip(packed, budget));
  await pipeline(Readable.from(blocks, { objectMode: false }), tar).catch((error: unknown) => {
    refusal ??= error;
  });
  await entries;
  if (refusal instanceof ChartRefused) throw refusal;
  if (refusal !== undefined) throw new ChartRefused(`archive/tar: ${(refusal as Error).message}`);
  return reader.archive();
}

interface OpenFile {
  readonly path: string;
  readonly chunks: Buffer[] | undefined;
}

function createReader(budget: Budget, useOf: (path: string) => Use) {
  const files = new Map<string, ChartFile>();
  const folded = new Set<string>();
  let top: string | undefined;
  let packedAt: Date | undefined;

  function isKept(path: string, size: number): boolean {
    const use = useOf(path);
    if (use === undefined) return false;
    if (size <= budget.kept) {
      budget.kept -= size;
      return true;
    }
    if (use === 'shown') return false;
    throw new ChartRefused(`what helm would load of the chart is larger than ${CHART_LIMITS.kept} bytes`);
  }

  return {
    /** Undefined: what has no place in a chart, such as folders and links, which helm leaves out too. */
    begin(header: Header): OpenFile | undefined {
      if (--budget.entries < 0) throw new ChartRefused(`the archive has more than ${CHART_LIMITS.entries} entries`);
      if (!isFile(header)) return undefined;
      const place = placeInChart(header.name);
      if (top !== undefined && top !== place.top) {
        throw new ChartRefused(`the archive holds two folders, ${quote(top)} and ${quote(place.top)}; a chart has one`);
      }
      top = place.top;
      const { path } = place;
      if (header.size > CHART_LIMITS.file) {
        throw new ChartRefused(
          `decompressed chart file ${quote(header.name)} is larger than the maximum file size ${CHART_LIMITS.file}`,
        );
      }
      // Two files of one name, or of names that a laptop's file system takes for one: readers differ in which they see.
      const name = path.normalize('NFC').toLowerCase();
      if (folded.has(name)) throw new ChartRefused(`the archive holds ${quote(path)} twice`);
      folded.add(name);
      return { path, chunks: isKept(path, header.size) ? [] : undefined };
    },
    end({ size, mtime }: Header, { path, chunks }: OpenFile): void {
      if (!packedAt || mtime > packedAt) packedAt = mtime;
      files.set(path, { path, size, content: chunks && withoutMark(Buffer.concat(chunks)) });
    },
    archive(): Archive {
      if (files.size === 0) throw new ChartRefused('no files in chart archive');
      return { files, packedAt };
    },
  };
}

/** @throws {ChartRefused} for entries that readers of tar make different things of */
function isFile({ type, size, name, pax }: Header): boolean {
  const extended = Object.keys(pax ?? {});
  if ((type as unknown) === null || extended.some((key) => key.startsWith('GNU.sparse'))) {
    throw new ChartRefused(`the archive holds ${quote(name)}, which is neither a file nor a folder nor a link`);
  }
  if (type === 'file' || type === 'contiguous-file') return true;
  if (size > 0) throw new ChartRefused(`the archive holds ${quote(name)}, a ${type} with a content`);
  return false;
}

/** Splits the top folder off, by helm's rules and in helm's words. @throws {ChartRefused} */
function placeInChart(name: string): { top: string; path: string } {
  // Archives that were made on Windows.
  const delimiter = name.includes('\\') ? '\\' : '/';
  const [top = '', ...rest] = name.split(delimiter);
  const inside = rest.join('/');
  if (inside.startsWith('/')) throw new ChartRefused('chart illegally contains absolute paths');
  const path = posix.normalize(inside || '.');
  if (path === '.')
    throw new ChartRefused(`chart illegally contains content outside the base directory: ${quote(name)}`);
  if (path.startsWith('..')) throw new ChartRefused('chart illegally references parent directory');
  if (/^[a-zA-Z]:\//.test(path) || path.includes('\0')) throw new ChartRefused('chart contains illegally named files');
  if (top === 'Chart.yaml') throw new ChartRefused('chart yaml not in base directory');
  if (top === '' || top === '.' || top === '..') {
    throw new ChartRefused(`chart illegally contains content outside the base directory: ${quote(name)}`);
  }
  if (path.length > CHART_LIMITS.pathLength || path.split('/').length > CHART_LIMITS.pathDepth) {
    throw new ChartRefused(`the path ${quote(path)} is too long or too deep`);
  }
  return { top, path };
}

function withoutMark(content: Buffer): Buffer {
  return content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf ? content.subarray(3) : content;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
