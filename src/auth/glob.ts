/**
 * Globs over repository paths and tags. `*` is any run of characters within a segment, `**` as a whole segment any number of
 * segments; `a/**` holds `a` itself too. Matching takes at most pattern × text steps, whatever the pattern.
 */

const PATH_SEGMENT = /^(?:\*\*|[a-z0-9._*-]+)$/;
const TAG = /^[A-Za-z0-9._*-]{1,128}$/;

/** Whether people may write this as a path glob: segments of repository names and stars, at most 255 characters. */
export function isPathGlob(glob: string): boolean {
  return (
    glob.length <= 255 &&
    glob.split('/').every((segment) => PATH_SEGMENT.test(segment) && (segment === '**' || !segment.includes('**')))
  );
}

export function isTagGlob(glob: string): boolean {
  return TAG.test(glob) && !glob.includes('**');
}

/** @param path segments separated by `/`; the empty string has none and is matched by `**` only */
export function matchesPath(glob: string, path: string): boolean {
  return wildcard(
    glob.split('/'),
    path === '' ? [] : path.split('/'),
    (segment) => segment === '**',
    (segment, text) => matchesSegment(segment, text),
  );
}

/** A tag has no segments, so `*` is the only wildcard. */
export function matchesTag(glob: string, tag: string): boolean {
  return matchesSegment(glob, tag);
}

/** Whether the glob can match anything at or below this first segment. */
export function touchesRoot(glob: string, root: string): boolean {
  const first = glob.split('/', 1)[0] as string;
  return first === '**' || matchesSegment(first, root);
}

function matchesSegment(pattern: string, text: string): boolean {
  return wildcard(
    pattern,
    text,
    (character) => character === '*',
    (character, other) => character === other,
  );
}

/**
 * Greedy matching: when it goes wrong, only the latest star has to take one more. That is enough, because whatever an
 * earlier star could still take, the latest can.
 */
function wildcard(
  pattern: ArrayLike<string>,
  text: ArrayLike<string>,
  isStar: (part: string) => boolean,
  same: (part: string, other: string) => boolean,
): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (p < pattern.length && isStar(pattern[p]!)) {
      star = p++;
      resume = t;
    } else if (p < pattern.length && same(pattern[p]!, text[t]!)) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.length && isStar(pattern[p]!)) p++;
  return p === pattern.length;
}
