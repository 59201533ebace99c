/** `Range` (RFC 9110 section 14.2) and the OCI form of `Content-Range` (distribution-spec, "Pushing a blob in chunks"). */

/** Bytes `start..end`, both inclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** More ranges than this in one header are refused as if none could be satisfied: an answer is never larger than its blob. */
const MAX_RANGES = 32;

/**
 * What a GET for `size` bytes should send: `undefined` for everything (no header, another unit, or a header that is not
 * well-formed, which RFC 9110 says to ignore), 'unsatisfiable' for 416, else the ranges clipped to the size.
 */
export function parseRange(header: string | undefined, size: number): Range[] | 'unsatisfiable' | undefined {
  if (header === undefined) return undefined;
  const match = /^bytes\s*=(.*)$/i.exec(header);
  if (!match) return undefined;
  const specs = (match[1] as string).split(',', MAX_RANGES + 2).map((spec) => spec.trim());
  const ranges: Range[] = [];
  let total = 0;
  for (const spec of specs) {
    if (spec === '') continue;
    const parts = /^(\d{0,15})-(\d{0,15})$/.exec(spec);
    if (!parts || (parts[1] === '' && parts[2] === '')) return undefined;
    const range = clip(parts[1] as string, parts[2] as string, size);
    if (range === 'malformed') return specs.length === 1 ? 'unsatisfiable' : undefined;
    if (range) {
      ranges.push(range);
      total += range.end - range.start + 1;
    }
  }
  if (ranges.length === 0 || ranges.length > MAX_RANGES || (ranges.length > 1 && total > size)) return 'unsatisfiable';
  return ranges;
}

function clip(first: string, last: string, size: number): Range | 'malformed' | undefined {
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? undefined : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return 'malformed';
  return start >= size ? undefined : { start, end };
}

/**
 * `Content-Range: 0-1023` as OCI clients send it; the HTTP form `bytes 0-1023/4096` is understood too.
 * @returns undefined when the header is neither
 */
export function parseContentRange(header: string): Range | undefined {
  const parts = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?$/.exec(header.trim());
  if (!parts) return undefined;
  const start = Number(parts[1]);
  const end = Number(parts[2]);
  return end < start ? undefined : { start, end };
}
