import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestFromBytes, digestToBytes, parseDigest } from '../../src/blobs/digest.ts';
import { parseContentRange, parseRange } from '../../src/http/ranges.ts';
import { parseReference, parseRepositoryPath, parseTag } from '../../src/registry/names.ts';
import { SEARCH, timeout } from './runs.ts';
import { hex, near } from './text.ts';

describe('repository names', () => {
  /** The grammar of the specification, walked by hand: words of a-z0-9, joined by . _ __ or dashes, in components. */
  function isName(text: string): boolean {
    if (text.length === 0 || text.length > 255) return false;
    return text.split('/').every((component) => {
      const words = component.split(/[._-]+/);
      const joints = component.match(/[._-]+/g) ?? [];
      return (
        words.every((word) => /^[a-z0-9]+$/.test(word)) &&
        joints.every((joint) => joint === '.' || joint === '_' || joint === '__' || /^-+$/.test(joint))
      );
    });
  }

  it(
    'are taken if and only if the grammar says so, and come back as they were',
    () => {
      fc.assert(
        fc.property(fc.oneof(near('ab0._-/', 30), near('a/', 300), fc.string({ unit: 'binary' })), (text) => {
          expect(parseRepositoryPath(text)).toBe(isName(text) ? text : undefined);
        }),
        SEARCH,
      );
    },
    timeout(5),
  );

  it('that are long take no longer than they should', () => {
    for (const piece of ['a-', 'a_', 'a.', '-', '_', 'a/', 'aa__', '.a']) {
      const text = `${piece.repeat(500_000)}!`;
      const start = process.cpuUsage();
      expect(parseRepositoryPath(text)).toBeUndefined();
      expect(parseTag(text)).toBeUndefined();
      expect(parseReference(text)).toBeUndefined();
      expect(process.cpuUsage(start).user, 'microseconds').toBeLessThan(1_000_000);
    }
  });
});

describe('tags and references', () => {
  const isTag = (text: string) =>
    text.length >= 1 &&
    text.length <= 128 &&
    text.split('').every((letter) => /[A-Za-z0-9_.-]/.test(letter)) &&
    !'.-'.includes(text[0] as string);

  it(
    'are taken if and only if the grammar says so',
    () => {
      fc.assert(
        fc.property(
          fc.oneof(
            near('aZ09_.-:@/', 20),
            near('a.', 140),
            hex(64).map((text) => `sha256:${text}`),
          ),
          (text) => {
            expect(parseTag(text)).toBe(isTag(text) ? text : undefined);
            const reference = parseReference(text);
            expect(reference?.tag).toBe(isTag(text) ? text : undefined);
            expect(reference?.digest).toBe(parseDigest(text));
          },
        ),
        SEARCH,
      );
    },
    timeout(5),
  );
});

describe('digests', () => {
  const digest = fc.oneof(
    hex(64).map((text) => `sha256:${text}`),
    hex(128).map((text) => `sha512:${text}`),
  );

  it(
    'are taken and come back from their bytes',
    () => {
      fc.assert(
        fc.property(digest, (text) => {
          const parsed = parseDigest(text);
          expect(parsed).toBe(text);
          const bytes = digestToBytes(parsed as NonNullable<typeof parsed>);
          expect(bytes.length).toBe(text.startsWith('sha256') ? 33 : 65);
          expect(digestFromBytes(bytes)).toBe(text);
        }),
        SEARCH,
      );
    },
    timeout(5),
  );

  it(
    'with anything changed are refused',
    () => {
      const change = fc.tuple(digest, fc.nat(), fc.constantFrom('drop', 'double', 'upper', 'odd'));
      fc.assert(
        fc.property(change, ([text, where, how]) => {
          const at = where % text.length;
          const letter = text[at] as string;
          const into = { drop: '', double: letter + letter, upper: letter.toUpperCase(), odd: '\n' }[how];
          const changed = text.slice(0, at) + into + text.slice(at + 1);
          expect(parseDigest(changed)).toBe(changed === text ? text : undefined);
        }),
        SEARCH,
      );
    },
    timeout(5),
  );

  it(
    'are nothing else',
    () => {
      fc.assert(
        fc.property(fc.oneof(near('sha256:51f', 80), fc.string({ unit: 'binary' })), (text) => {
          expect(parseDigest(text)).toBe(
            /^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/.test(text) && !text.endsWith('\n') ? text : undefined,
          );
        }),
        SEARCH,
      );
    },
    timeout(5),
  );
});

describe('Range', () => {
  const size = fc.integer({ min: 0, max: 10_000 });
  const number = fc.integer({ min: 0, max: 12_000 });
  const spec = fc.oneof(
    fc.tuple(number, number).map(([start, more]) => ({ text: `${start}-${start + more}`, start, end: start + more })),
    number.map((start) => ({ text: `${start}-`, start, end: Infinity })),
    number.map((length) => ({ text: `-${length}`, start: -length, end: Infinity })),
  );

  it(
    'of one spec is what RFC 9110 says',
    () => {
      fc.assert(
        fc.property(size, spec, (total, { text, start, end }) => {
          const from = text.startsWith('-') ? Math.max(0, total + start) : start;
          const to = Math.min(end, total - 1);
          expect(parseRange(`bytes=${text}`, total)).toEqual(from > to ? 'unsatisfiable' : [{ start: from, end: to }]);
        }),
        SEARCH,
      );
    },
    timeout(5),
  );

  it(
    'never names a byte that is not there, nor more bytes than there are',
    () => {
      const header = fc.oneof(
        fc
          .array(spec, { minLength: 1, maxLength: 50 })
          .map((specs) => `bytes=${specs.map(({ text }) => text).join(',')}`),
        near('bytes=0123456789-, ', 60),
        fc.string({ unit: 'binary' }),
      );
      fc.assert(
        fc.property(size, header, (total, text) => {
          const ranges = parseRange(text, total);
          if (ranges === undefined || ranges === 'unsatisfiable') return;
          expect(ranges.length).toBeGreaterThan(0);
          let sum = 0;
          for (const { start, end } of ranges) {
            expect(Number.isSafeInteger(start) && Number.isSafeInteger(end)).toBe(true);
            expect(0 <= start && start <= end && end < total).toBe(true);
            sum += end - start + 1;
          }
          expect(sum).toBeLessThanOrEqual(total);
        }),
        SEARCH,
      );
    },
    timeout(10),
  );
});

describe('Content-Range', () => {
  it(
    'is two numbers in order, both inclusive',
    () => {
      fc.assert(
        fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (one, other) => {
          const parsed = parseContentRange(`${one}-${other}`);
          if (String(one).length > 15 || String(other).length > 15) return;
          expect(parsed).toEqual(one <= other ? { start: one, end: other } : undefined);
        }),
        SEARCH,
      );
    },
    timeout(5),
  );

  it(
    'is never anything that is not',
    () => {
      fc.assert(
        fc.property(fc.oneof(near('bytes 0123456789-/*', 40), fc.string({ unit: 'binary' })), (text) => {
          const parsed = parseContentRange(text);
          if (parsed === undefined) return;
          expect(
            Number.isSafeInteger(parsed.start) && Number.isSafeInteger(parsed.end) && parsed.start <= parsed.end,
          ).toBe(true);
          const numbers = text.match(/\d+/g)?.map(Number) ?? [];
          expect(numbers.slice(0, 2)).toEqual([parsed.start, parsed.end]);
        }),
        SEARCH,
      );
    },
    timeout(5),
  );
});
