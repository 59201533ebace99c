/**
 * JSON that two parsers cannot read differently. Manifests are signed and scanned by their bytes, so a document that says
 * one thing to a parser that keeps the first of two equal keys and another to one that keeps the last is refused
 * (CVE-2021-41190 is of that family).
 */

const DEEPEST = 64;
/** Keys and containers of one document. Ten thousand descriptors with annotations have fewer; 4 MiB could have a million. */
const MAX_PARTS = 100_000;

export class AmbiguousJson extends Error {
  override readonly name = 'AmbiguousJson';
}

/**
 * Parses UTF-8 JSON strictly: no byte order mark, valid UTF-8, no repeated key in an object, a limited depth.
 * @throws {AmbiguousJson} with a sentence for the client
 */
export function parseStrictJson(bytes: Buffer, deepest: number = DEEPEST): unknown {
  if (bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw new AmbiguousJson('The document starts with a byte order mark');
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new AmbiguousJson('The document is not valid UTF-8');
  }
  checkStructure(text, deepest);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new AmbiguousJson(`The document is not valid JSON: ${(error as Error).message.slice(0, 200)}`);
  }
}

/** One pass that only tracks nesting and keys; syntax proper is JSON.parse's business. */
function checkStructure(text: string, deepest: number): void {
  const keys: (Set<string> | undefined)[] = [];
  let expectKey = false;
  let parts = 0;
  const count = (): void => {
    if (++parts > MAX_PARTS)
      throw new AmbiguousJson(`The document has more than ${MAX_PARTS} keys, objects and arrays`);
  };
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22 /* " */) {
      const end = endOfString(text, i);
      if (expectKey) {
        count();
        addKey(keys, text.slice(i, end + 1));
        expectKey = false;
      }
      i = end;
    } else if (c === 0x7b /* { */ || c === 0x5b /* [ */) {
      if (keys.length === deepest) throw new AmbiguousJson(`The document nests deeper than ${deepest} levels`);
      count();
      keys.push(c === 0x7b ? new Set() : undefined);
      expectKey = c === 0x7b;
    } else if (c === 0x7d /* } */ || c === 0x5d /* ] */) {
      keys.pop();
      expectKey = false;
    } else if (c === 0x2c /* , */) {
      expectKey = keys.at(-1) !== undefined;
    }
  }
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5c /* \ */) i++;
    else if (c === 0x22) return i;
  }
  return text.length;
}

function addKey(keys: (Set<string> | undefined)[], raw: string): void {
  let key = raw;
  if (raw.includes('\\')) {
    try {
      key = JSON.stringify(JSON.parse(raw));
    } catch {
      return; // JSON.parse will say what is wrong with it
    }
  }
  const seen = keys.at(-1);
  if (seen?.has(key)) throw new AmbiguousJson(`The key ${key.slice(0, 100)} appears twice in one object`);
  seen?.add(key);
}
