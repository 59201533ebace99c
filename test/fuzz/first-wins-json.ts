/**
 * A second JSON parser with another mind: of equal keys it keeps the first, and it tells which spellings of a key it saw.
 * What two parsers read differently is what a registry must not accept.
 */
export type Json = null | boolean | number | string | Json[] | JsonObject;

/** The value, and all entries as they came. */
export class JsonObject {
  readonly entries: (readonly [string, Json])[] = [];

  first(key: string): Json | undefined {
    return this.entries.find(([name]) => name === key)?.[1];
  }

  /** As Go's encoding/json does it: names match whatever their case, and the last one counts. */
  lastFolded(key: string): Json | undefined {
    return this.entries.findLast(([name]) => fold(name) === fold(key))?.[1];
  }
}

/** Simple case folding, with the two letters outside ASCII that fold to ASCII ones. */
function fold(name: string): string {
  return name.replaceAll('\u017f', 's').replaceAll('\u212a', 'k').toLowerCase();
}

/** @throws SyntaxError */
export function parseJson(text: string): Json {
  let at = 0;
  const fail = (): never => {
    throw new SyntaxError(`unexpected at ${at}`);
  };
  const space = () => {
    while (at < text.length && ' \t\r\n'.includes(text[at] as string)) at++;
  };
  const word = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) return fail();
    at += match[0].length;
    return match[0];
  };
  const string = (): string =>
    JSON.parse(word(/"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy)) as string;
  const value = (): Json => {
    space();
    const start = text[at];
    if (start === '{') return object();
    if (start === '[') return list();
    if (start === '"') return string();
    if (start === 't' || start === 'f') return word(/true|false/y) === 'true';
    if (start === 'n') return word(/null/y) && null;
    return Number(word(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y));
  };
  const sequence = (end: string, item: () => void): void => {
    at++;
    space();
    if (text[at] === end) {
      at++;
      return;
    }
    for (;;) {
      item();
      space();
      const next = text[at++];
      if (next === end) return;
      if (next !== ',') fail();
    }
  };
  const list = (): Json[] => {
    const items: Json[] = [];
    sequence(']', () => items.push(value()));
    return items;
  };
  const object = (): JsonObject => {
    const made = new JsonObject();
    sequence('}', () => {
      space();
      const name = string();
      space();
      if (text[at++] !== ':') fail();
      made.entries.push([name, value()]);
    });
    return made;
  };
  const whole = value();
  space();
  return at === text.length ? whole : fail();
}
