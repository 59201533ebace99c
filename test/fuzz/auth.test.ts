import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAuthorization } from '../../src/auth/authorization.ts';
import { InvalidCredentials } from '../../src/auth/errors.ts';
import { isPathGlob, matchesPath, matchesTag, touchesRoot } from '../../src/auth/glob.ts';
import { createRegistryTokens } from '../../src/auth/registry-tokens.ts';
import { formatScopes, MOST_SCOPES, parseScopes } from '../../src/auth/scopes.ts';
import { tokenOwner } from '../../src/auth/token-format.ts';
import { SEARCH, timeout } from './runs.ts';

const letters = (alphabet: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet.split('')), maxLength });

describe('globs', () => {
  /** The definition, tried out in full: too slow for anything but tests. */
  function slowSegment(pattern: string, text: string): boolean {
    if (pattern === '') return text === '';
    if (pattern[0] !== '*')
      return pattern[0] === text[0] && text !== '' && slowSegment(pattern.slice(1), text.slice(1));
    return Array.from({ length: text.length + 1 }, (_, i) => text.slice(i)).some((rest) =>
      slowSegment(pattern.slice(1), rest),
    );
  }
  function slowPath(pattern: readonly string[], path: readonly string[]): boolean {
    const [first, ...rest] = pattern;
    if (first === undefined) return path.length === 0;
    if (first === '**')
      return Array.from({ length: path.length + 1 }, (_, i) => path.slice(i)).some((tail) => slowPath(rest, tail));
    return path[0] !== undefined && slowSegment(first, path[0]) && slowPath(rest, path.slice(1));
  }

  const segment = letters('ab*', 4).filter((text) => text !== '' && !text.includes('**'));
  const glob = fc.array(fc.oneof(segment, fc.constant('**')), { minLength: 1, maxLength: 5 });
  const path = fc.array(
    letters('ab', 3).filter((text) => text !== ''),
    { maxLength: 5 },
  );

  it(
    'match exactly what their definition says',
    () => {
      fc.assert(
        fc.property(glob, path, (pattern, segments) => {
          const text = pattern.join('/');
          expect(isPathGlob(text)).toBe(true);
          expect(matchesPath(text, segments.join('/'))).toBe(slowPath(pattern, segments));
          if (segments[0] !== undefined && matchesPath(text, segments.join('/'))) {
            expect(touchesRoot(text, segments[0])).toBe(true);
          }
        }),
        SEARCH,
      );
    },
    timeout(5),
  );

  it(
    'of tags match exactly what their definition says',
    () => {
      fc.assert(
        fc.property(letters('ab.*', 8), letters('ab.', 8), (pattern, tag) => {
          expect(matchesTag(pattern, tag)).toBe(slowSegment(pattern, tag));
        }),
        SEARCH,
      );
    },
    timeout(5),
  );

  it(
    'take any text without harm',
    () => {
      fc.assert(
        fc.property(
          fc.string({ unit: 'binary', maxLength: 300 }),
          fc.string({ unit: 'binary', maxLength: 300 }),
          (pattern, text) => {
            matchesPath(pattern, text);
            expect(matchesPath('**', text)).toBe(true);
            if (pattern !== '' && !pattern.includes('*')) expect(matchesPath(pattern, text)).toBe(pattern === text);
          },
        ),
        SEARCH,
      );
    },
    timeout(5),
  );
});

describe('scopes', () => {
  const word = letters('abz09-_./:()* ,', 20);
  const scope = fc
    .tuple(
      fc.constantFrom('repository', 'registry', 'repository(plugin)', 'other'),
      word,
      fc.array(word, { maxLength: 3 }),
    )
    .map(([type, name, actions]) => `${type}:${name}:${actions.join(',')}`);

  it(
    'come out in a form that is read the same again',
    () => {
      const parameters = fc.array(fc.oneof(scope, fc.string({ unit: 'binary', maxLength: 40 })), { maxLength: 6 });
      fc.assert(
        fc.property(parameters, (texts) => {
          const scopes = parseScopes(texts);
          expect(scopes).toBeDefined();
          const written = formatScopes(scopes!);
          expect(parseScopes([written])).toEqual(scopes);
          expect(new Set(scopes!.map(({ type, name }) => `${type}:${name}`)).size).toBe(scopes!.length);
          for (const { type, name, actions } of scopes!) {
            expect(type).toMatch(/^[a-z0-9]+$/);
            expect(name).not.toMatch(/^$|\s/);
            expect(new Set(actions).size).toBe(actions.length);
          }
        }),
        SEARCH,
      );
    },
    timeout(5),
  );

  it('that are many or long cost no more than reading them', () => {
    const start = process.cpuUsage();
    expect(parseScopes([`${'repository:'.repeat(100_000)}a:pull`])).toHaveLength(1);
    expect(parseScopes([' '.repeat(1_000_000)])).toEqual([]);
    expect(parseScopes([`repository:a:${',pull'.repeat(100_000)}`])).toHaveLength(1);
    expect(parseScopes(Array.from({ length: MOST_SCOPES + 1 }, (_, i) => `a:${i}:`))).toBeUndefined();
    expect(process.cpuUsage(start).user, 'microseconds').toBeLessThan(1_000_000);
  });
});

describe('credentials', () => {
  it(
    'in a Basic header come out as they went in',
    () => {
      const text = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((each) => !each.includes('\0'));
      fc.assert(
        fc.property(
          text.filter((each) => !each.includes(':')),
          text,
          (username, password) => {
            const header = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
            expect(parseAuthorization(header)).toEqual({ scheme: 'basic', username, password });
          },
        ),
        SEARCH,
      );
    },
    timeout(5),
  );

  it(
    'are read from any header without harm',
    () => {
      const header = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc
          .tuple(fc.constantFrom('Basic ', 'Bearer ', 'basic\t'), fc.string({ unit: 'binary', maxLength: 60 }))
          .map((parts) => parts.join('')),
        fc
          .tuple(fc.constantFrom('Basic ', 'Bearer '), fc.base64String({ maxLength: 80 }))
          .map((parts) => parts.join('')),
      );
      fc.assert(
        fc.property(header, (text) => {
          const credentials = parseAuthorization(text);
          if (credentials?.scheme === 'basic') {
            expect(credentials.username).not.toMatch(/[:\0]/);
            expect(credentials.password).not.toContain('\0');
          }
          expect(tokenOwner(text)).toBeUndefined();
        }),
        SEARCH,
      );
    },
    timeout(5),
  );

  it(
    'that look like registry tokens are refused in one way, whatever they hold',
    async () => {
      const keys = { verifier: async () => undefined } as never;
      const tokens = createRegistryTokens(keys, ['https://hub.example.com']);
      const json = fc.json({ maxDepth: 2 }).map((text) => Buffer.from(text).toString('base64url'));
      const header = fc
        .record(
          { alg: fc.oneof(fc.constant('ES256'), fc.string()), kid: fc.anything(), typ: fc.constant('registry+jwt') },
          { requiredKeys: [] },
        )
        .map((value) => Buffer.from(JSON.stringify(value) ?? '').toString('base64url'));
      const token = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 100 }),
        fc
          .tuple(
            fc.oneof(json, header),
            json,
            fc.base64String().map((text) => text.replaceAll(/[+/=]/g, 'A')),
          )
          .map((parts) => parts.join('.')),
      );
      await fc.assert(
        fc.asyncProperty(token, async (text) => {
          await expect(tokens.verify(text)).rejects.toBeInstanceOf(InvalidCredentials);
        }),
        SEARCH,
      );
    },
    timeout(5),
  );
});
