/** Versions as helm reads them (Masterminds/semver, `NewVersion`): SemVer 2, and also `v1.2`, `1` and leading zeros. */
import { Range, SemVer } from 'semver';

/** Without `_` there is no version that two tags, or two versions that one tag, could stand for. */
const VERSION =
  /^v?(\d{1,20})(?:\.(\d{1,20}))?(?:\.(\d{1,20}))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

interface Parts {
  readonly numbers: readonly string[];
  readonly prerelease: readonly string[];
}

function parse(version: string): Parts | undefined {
  const match = VERSION.exec(version);
  if (!match) return undefined;
  const numbers = [match[1], match[2], match[3]].map((digits) => (digits ?? '0').replace(/^0+(?=\d)/, ''));
  const prerelease = match[4]?.split('.') ?? [];
  if (prerelease.some((part) => /^0\d+$/.test(part))) return undefined;
  return { numbers, prerelease };
}

export function isVersion(text: string): boolean {
  return text.length <= 256 && parse(text) !== undefined;
}

export function isPrerelease(version: string): boolean {
  return (parse(version)?.prerelease.length ?? 0) > 0;
}

/** Newest first, by precedence (SemVer 2, section 11). What differs in its build only, or in its spelling, is sorted by text. */
export function sortNewestFirst<T>(items: readonly T[], versionOf: (item: T) => string): T[] {
  // Parsed once each, not once for each comparison: a chart may have thousands.
  const keyed = items.map((item) => ({ item, text: versionOf(item), parts: parse(versionOf(item)) }));
  keyed.sort((a, b) => {
    if (!a.parts || !b.parts) return a.parts ? -1 : b.parts ? 1 : 0;
    for (const [i, number] of a.parts.numbers.entries()) {
      const difference = compareNumbers(b.parts.numbers[i] as string, number);
      if (difference !== 0) return difference;
    }
    return (
      comparePrereleases(b.parts.prerelease, a.parts.prerelease) || (a.text < b.text ? 1 : a.text > b.text ? -1 : 0)
    );
  });
  return keyed.map(({ item }) => item);
}

function compareNumbers(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [left, right] = [a[i] as string, b[i] as string];
    const [leftNumber, rightNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)];
    if (leftNumber && rightNumber && left !== right) return compareNumbers(left, right);
    if (leftNumber !== rightNumber) return leftNumber ? -1 : 1;
    if (left !== right) return left < right ? -1 : 1;
  }
  return a.length - b.length;
}

/** A tag cannot have a `+`; helm writes `_` in its place. */
export function tagOf(version: string): string {
  return version.replaceAll('+', '_');
}

/** Whether versions can match: npm's and helm's ranges agree on `^1.2`, `~1.2`, `>=1 <2`, `1.x`, `||`. Undefined: no range. */
export function rangeOf(text: string): ((version: string) => boolean) | undefined {
  let range: Range;
  try {
    // Helm separates with commas, too.
    range = new Range(text.replaceAll(',', ' '));
  } catch {
    return undefined;
  }
  return (version) => {
    const parts = parse(version);
    if (!parts) return false;
    try {
      const pre = parts.prerelease.length > 0 ? `-${parts.prerelease.join('.')}` : '';
      return range.test(new SemVer(parts.numbers.join('.') + pre));
    } catch {
      // Numbers beyond 2^53.
      return false;
    }
  };
}

/**
 * Which of the versions, newest first, is meant: the one that says so itself, the newest stable one for `latest` (or the
 * newest at all when none is stable), or the newest in a range.
 */
export function resolveVersion(versions: readonly string[], wanted: string): string | undefined {
  if (versions.includes(wanted)) return wanted;
  if (wanted === 'latest') return versions.find((version) => !isPrerelease(version)) ?? versions[0];
  const matches = isVersion(wanted) ? undefined : rangeOf(wanted);
  return matches && versions.find(matches);
}
