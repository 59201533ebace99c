import { describe, expect, test } from 'vitest';
import { isPathGlob, isTagGlob, matchesPath, matchesTag, touchesRoot } from '../../src/auth/glob.ts';

describe('paths', () => {
  test.each([
    ['**', '', true],
    ['**', 'a', true],
    ['**', 'a/b/c', true],
    ['*', '', false],
    ['*', 'a', true],
    ['*', 'a/b', false],
    ['a', 'a', true],
    ['a', 'b', false],
    ['a', 'a/b', false],
    ['a', '', false],
    ['team-a/**', 'team-a', true],
    ['team-a/**', 'team-a/web', true],
    ['team-a/**', 'team-a/web/api', true],
    ['team-a/**', 'team-ab', false],
    ['team-a/**', 'team-b/team-a', false],
    ['team-a/*', 'team-a', false],
    ['team-a/*', 'team-a/web', true],
    ['team-a/*', 'team-a/web/api', false],
    ['**/cache', 'cache', true],
    ['**/cache', 'a/b/cache', true],
    ['**/cache', 'a/cache/b', false],
    ['a/**/z', 'a/z', true],
    ['a/**/z', 'a/b/c/z', true],
    ['a/**/z', 'a/b/c', false],
    ['a/**/m/**/z', 'a/m/m/z', true],
    ['a/**/m/**/z', 'a/z/m', false],
    ['web-*', 'web-', true],
    ['web-*', 'web-api', true],
    ['*-api', 'web-api', true],
    ['w*b*i', 'web-api', true],
    ['w*b*i', 'web-apis', false],
    ['a.c', 'abc', false],
    ['a[bc]', 'ab', false],
  ])('%s and %j: %s', (glob, path, expected) => {
    expect(matchesPath(glob, path)).toBe(expected);
  });

  test('take time in proportion, whatever the pattern', () => {
    const start = process.cpuUsage();
    const glob = `${'*a'.repeat(120)}b`;
    for (let i = 0; i < 100; i++) expect(matchesPath(glob, 'a'.repeat(255))).toBe(false);
    expect(matchesPath(`${'**/a/'.repeat(50)}b`, 'a/'.repeat(127) + 'a')).toBe(false);
    expect(process.cpuUsage(start).user, 'microseconds').toBeLessThan(500_000);
  });
});

test.each([
  ['*', 'latest', true],
  ['v*', 'v1.2.3', true],
  ['v*', 'latest', false],
  ['v1.*', 'v1.2', true],
  ['v1.*', 'v1x2', false],
  ['*-dev', '1.0-dev', true],
])('tag glob %s and %s: %s', (glob, tag, expected) => {
  expect(matchesTag(glob, tag)).toBe(expected);
});

test.each([
  ['acme/**', 'acme', true],
  ['acme/web', 'acme', true],
  ['ac*/web', 'acme', true],
  ['**/web', 'acme', true],
  ['acme', 'acme2', false],
  ['other/**', 'acme', false],
])('%s has something to do with project %s: %s', (glob, project, expected) => {
  expect(touchesRoot(glob, project)).toBe(expected);
});

test('what people may write', () => {
  for (const good of ['**', 'a', 'a/**', '**/a', 'team-*/web_1.x']) expect(isPathGlob(good), good).toBe(true);
  for (const bad of [
    '',
    '/',
    'a/',
    '/a',
    'a//b',
    'a**',
    '**a',
    'A',
    'a b',
    'a\0',
    'a?',
    '(a|b)',
    '..%2f',
    'x'.repeat(256),
  ]) {
    expect(isPathGlob(bad), bad).toBe(false);
  }
  for (const good of ['*', 'v*', 'Latest', 'v1.*-rc_*']) expect(isTagGlob(good), good).toBe(true);
  for (const bad of ['', '**', 'a/b', 'v 1', 'v:1', 'x'.repeat(129)]) expect(isTagGlob(bad), bad).toBe(false);
});
