/**
 * What the clients of the storm may expect of what they change together. All of them live in one process, so everything that
 * one asks for is known to the others before it leaves; where two changes overlap, either may have come last.
 */

/** A request that was never answered may still happen for so long. */
const DOUBT_MS = 30_000;

/** What a register was when somebody began to look. */
export interface Reading<Value> {
  /** What it had to be from then until now; undefined when somebody changed it meanwhile or nobody knows. */
  expected(): Value | undefined;
  /** Whether nobody has even asked to change it since. */
  undisturbed(): boolean;
  /** Notes what was seen where nobody knew. */
  learn(value: Value): void;
}

/** A change that was asked for. One of these is called when it is over. */
export interface Change<Value> {
  /** What it was, where that was known and nobody else was changing it. */
  readonly before: Value | undefined;
  /** Whether nobody else has asked to change it meanwhile. */
  alone(): boolean;
  done(value: Value): void;
  /** It is as it was. */
  refused(): void;
  /** It is over, and nobody can say how it went. */
  unknown(): void;
  /** There was no answer: it may have happened, or may still. */
  unanswered(): void;
}

/** One value that many change. */
export class Register<Value> {
  #value: Value | undefined;
  #version = 0;
  #pending = 0;
  #doubtUntil = 0;

  constructor(value?: Value) {
    this.#value = value;
  }

  /** What it is, as far as anybody knows. */
  get value(): Value | undefined {
    return this.#value;
  }

  /** Called before the request leaves. */
  change(): Change<Value> {
    const version = ++this.#version;
    const first = this.#pending++ === 0 && this.#certain();
    const before = first ? this.#value : undefined;
    this.#value = undefined;
    const alone = (): boolean => first && this.#version === version;
    const end = (value: Value | undefined): void => {
      this.#pending--;
      if (alone()) this.#value = value;
    };
    return {
      before,
      alone,
      done: end,
      refused: () => end(before),
      unknown: () => end(undefined),
      unanswered: () => {
        this.#doubtUntil = performance.now() + DOUBT_MS;
        end(undefined);
      },
    };
  }

  read(): Reading<Value> {
    const value = this.#value;
    const version = this.#version;
    const quiet = this.#pending === 0 && this.#certain();
    const undisturbed = (): boolean => quiet && this.#version === version;
    return {
      undisturbed,
      expected: () => (undisturbed() ? value : undefined),
      learn: (seen) => {
        if (undisturbed()) this.#value = seen;
      },
    };
  }

  #certain(): boolean {
    return performance.now() > this.#doubtUntil;
  }
}

/** Since when a subject is away, and how often it was for so long that what refers to it may have gone. */
export class Absence {
  readonly #graceMs: number;
  #since: number | undefined = -Infinity;
  #gaps = 0;

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  leaving(): void {
    this.#since ??= performance.now();
  }

  returned(): void {
    if (this.#tooLong()) this.#gaps++;
    this.#since = undefined;
  }

  /** What to remember of now; undefined while it is away. */
  get mark(): number | undefined {
    return this.#since === undefined ? this.#gaps : undefined;
  }

  /** Whether what was attached at `mark` has to be there still. */
  /** Milliseconds since it was deleted. */
  get age(): number | undefined {
    return this.#since === undefined ? undefined : performance.now() - this.#since;
  }

  keeps(mark: number | undefined): boolean {
    return mark === this.#gaps && !this.#tooLong();
  }

  #tooLong(): boolean {
    return this.#since !== undefined && performance.now() - this.#since > this.#graceMs;
  }
}

/** Registers by name, made when they are first asked for. */
class Registers<Value> {
  readonly #known = new Map<string, Register<Value>>();
  readonly #first: Value | undefined;

  constructor(first?: Value) {
    this.#first = first;
  }

  at(repo: string, name: string): Register<Value> {
    const key = `${repo} ${name}`;
    let register = this.#known.get(key);
    if (!register) this.#known.set(key, (register = new Register(this.#first)));
    return register;
  }

  /** Those of one repository. */
  *of(repo: string): Iterable<[name: string, register: Register<Value>]> {
    for (const [key, register] of this.#known) {
      if (key.startsWith(`${repo} `)) yield [key.slice(repo.length + 1), register];
    }
  }

  *all(): Iterable<[repo: string, name: string, register: Register<Value>]> {
    for (const [key, register] of this.#known) {
      const [repo, name] = key.split(' ') as [string, string];
      yield [repo, name, register];
    }
  }
}

/** All that the clients share. */
export class Ledger {
  /** Whether a manifest is there, by repository and digest. */
  readonly manifests = new Registers<boolean>(false);
  /** The digest that a tag points at; empty: there is none. */
  readonly tags = new Registers<string>('');
  /** Changes when somebody deletes the blob by name. What it says does not matter. */
  readonly blobs = new Registers<true>(true);
  readonly #leases = new Map<string, { readonly at: number; readonly deletes: Reading<true> }>();
  readonly #absences = new Map<string, Absence>();
  /** Of manifests that refer to another: which, and the mark of its absence when they were pushed. */
  readonly #attached = new Map<string, { readonly subject: Absence; readonly mark: number | undefined }>();
  readonly #leaseMs: number;
  readonly #graceMs: number;

  /**
   * @param leaseMs how long a 2xx about a blob keeps it at least
   * @param graceMs how long a subject may be away before what refers to it goes
   */
  constructor(leaseMs: number, graceMs: number) {
    this.#leaseMs = leaseMs;
    this.#graceMs = graceMs;
  }

  /** Called before a request about a blob leaves; what it returns is called when the answer was a 2xx. */
  asking(repo: string, digest: string): () => void {
    const lease = { at: performance.now(), deletes: this.blobs.at(repo, digest).read() };
    const key = `${repo} ${digest}`;
    return () => {
      if ((this.#leases.get(key)?.at ?? -Infinity) < lease.at) this.#leases.set(key, lease);
    };
  }

  /**
   * Called before a request that needs a blob leaves; what it returns tells afterwards whether an answer that had come by then
   * promised that it would be there: milliseconds since that was asked for, or undefined.
   */
  promised(repo: string, digest: string): () => number | undefined {
    const lease = this.#leases.get(`${repo} ${digest}`);
    return () => {
      if (lease === undefined || !lease.deletes.undisturbed()) return undefined;
      const age = performance.now() - lease.at;
      return age < this.#leaseMs ? age : undefined;
    };
  }

  absence(repo: string, digest: string): Absence {
    const key = `${repo} ${digest}`;
    let absence = this.#absences.get(key);
    if (!absence) this.#absences.set(key, (absence = new Absence(this.#graceMs)));
    return absence;
  }

  attach(repo: string, digest: string, subject: string, mark: number | undefined): void {
    this.#attached.set(`${repo} ${digest}`, { subject: this.absence(repo, subject), mark });
  }

  /** Blobs of a repository whose lease ends about now, if nothing has renewed it: where a push meets the collector. */
  leasesThatEnd(repo: string): string[] {
    return [...this.#leases]
      .filter(([key, { at }]) => key.startsWith(`${repo} `) && aboutNow(performance.now() - at, 2 * this.#leaseMs))
      .map(([key]) => key.slice(repo.length + 1));
  }

  /** Manifests of a repository that are purged from the trash about now. */
  trashThatEnds(repo: string): string[] {
    return [...this.#absences]
      .filter(([key, { age }]) => key.startsWith(`${repo} `) && age !== undefined && aboutNow(age, this.#graceMs))
      .map(([key]) => key.slice(repo.length + 1));
  }

  /** Whether it must be there as long as nobody deletes it: not, when its subject has been away. */
  mustStay(repo: string, digest: string): boolean {
    const attached = this.#attached.get(`${repo} ${digest}`);
    return attached === undefined || attached.subject.keeps(attached.mark);
  }
}

function aboutNow(age: number, end: number): boolean {
  return age > end - 500 && age < end + 2_500;
}
