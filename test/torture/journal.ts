/**
 * What clients asked for and what was acknowledged, in order, and from it what must be there. A repository has one writer,
 * so its entries are a history without branches, except that what was sent and never answered may or may not have happened.
 */
export type Entry = { readonly repo: string } & (
  | { readonly what: 'blob'; readonly state: State; readonly digest: string }
  | { readonly what: 'manifest'; readonly state: State; readonly digest: string; readonly tag?: string }
  | { readonly what: 'untag'; readonly state: State; readonly tag: string }
  | { readonly what: 'remove'; readonly state: State; readonly digest: string }
  /** Bytes of an open upload that were acknowledged. */
  | { readonly what: 'chunk'; readonly state: 'acknowledged'; readonly location: string; readonly size: number }
);

/** `sent`: the request that makes it true is about to go out. */
export type State = 'sent' | 'acknowledged';

const NONE = 'none';
type Presence = 'present' | 'absent' | 'unknown';

/** What one repository may look like. */
export class Expectation {
  /** Blobs that were acknowledged. */
  readonly blobs = new Set<string>();
  readonly sentBlobs = new Set<string>();
  readonly manifests = new Map<string, Presence>();
  /** What each tag may be; NONE among it: it may be missing. */
  readonly #tags = new Map<string, Set<string>>();

  add(entry: Entry): void {
    const done = entry.state === 'acknowledged';
    switch (entry.what) {
      case 'blob':
        this.sentBlobs.add(entry.digest);
        if (done) this.blobs.add(entry.digest);
        break;
      case 'manifest':
        if (done) this.manifests.set(entry.digest, 'present');
        else if (this.manifests.get(entry.digest) !== 'present') this.manifests.set(entry.digest, 'unknown');
        if (entry.tag !== undefined) this.#move(entry.tag, entry.digest, done);
        break;
      case 'untag':
        this.#move(entry.tag, NONE, done);
        break;
      case 'remove':
        this.manifests.set(entry.digest, done ? 'absent' : 'unknown');
        for (const [tag, values] of this.#tags) {
          if (!values.has(entry.digest)) continue;
          if (done) values.delete(entry.digest);
          values.add(NONE);
          this.#tags.set(tag, values);
        }
        break;
      case 'chunk':
    }
  }

  #move(tag: string, value: string, done: boolean): void {
    const before = done ? [] : (this.#tags.get(tag) ?? [NONE]);
    this.#tags.set(tag, new Set([...before, value]));
  }

  /** Every tag that was ever sent, with what it may be now; undefined stands for a tag that is not there. */
  tags(): [string, ReadonlySet<string | undefined>][] {
    return [...this.#tags].map(([tag, values]) => [
      tag,
      new Set([...values].map((value) => (value === NONE ? undefined : value))),
    ]);
  }
}

export function expectations(entries: Iterable<Entry>): Map<string, Expectation> {
  const byRepo = new Map<string, Expectation>();
  for (const entry of entries) {
    let one = byRepo.get(entry.repo);
    if (!one) byRepo.set(entry.repo, (one = new Expectation()));
    one.add(entry);
  }
  return byRepo;
}
