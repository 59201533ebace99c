/** One client of the storm: pushes, mounts, moves, deletes and pulls at random what others push and delete as well. */
import type { Image } from '../harness/oci-client.ts';
import { FilesOfOne } from './storm-files.ts';
import { Pusher } from './storm-pusher.ts';
import { Unanswered, type SessionOptions } from './storm-session.ts';

/** Above so many manifests in a repository as many are deleted as are pushed. */
const ENOUGH = 18;
const TAGS = 5;

/** A manifest whose blobs are there, and that is put later: just before or after the promise about them ends. */
interface Deferred {
  readonly at: number;
  put(): Promise<void>;
}

export async function storm(options: SessionOptions & { readonly name: string }): Promise<void> {
  const client = new Client(options, options.name);
  while (!options.signal.aborted) {
    try {
      await client.once();
    } catch (error) {
      if (error instanceof Unanswered) continue;
      if (!options.signal.aborted) options.tally.complain('wrong answer', (error as Error).stack ?? String(error));
    }
  }
}

class Client extends Pusher {
  readonly #files: FilesOfOne;
  readonly #deferred: Deferred[] = [];

  constructor(options: SessionOptions, name: string) {
    super(options);
    this.#files = new FilesOfOne(this, `stormfiles/${name}`);
  }

  once(): Promise<void> {
    const { random, universe, ledger } = this.options;
    const due = this.#deferred.findIndex(({ at }) => at < performance.now());
    if (due >= 0) return (this.#deferred.splice(due, 1)[0] as Deferred).put();
    const repo = random.pick(universe.repositories);
    const there = [...ledger.manifests.of(repo)].filter(([, register]) => register.value === true);
    const known = there.map(([digest]) => digest);
    // As many go as come, so that what is pushed is what went a while ago.
    const [push, index, attach] = there.length > ENOUGH ? [0.1, 0.12, 0.15] : [0.32, 0.38, 0.44];
    const dice = random.next();
    if (dice < push) return this.#push(repo, this.#imageToPush(repo));
    if (dice < index) return this.#index(repo);
    if (dice < attach) return this.#attach(repo);
    if (dice < attach + 0.1) return this.#pullByTag(repo);
    if (dice < attach + 0.18) return this.#pullByDigest(repo, known);
    if (dice < attach + 0.22) return this.#retag(repo);
    if (dice < attach + 0.26) return this.#untag(repo);
    if (dice < attach + 0.29) return this.#deleteBlob(repo);
    if (dice < attach + 0.34) return this.#lookAtBlob(repo);
    if (dice < attach + 0.42) return this.#files.once();
    return this.#remove(repo, known);
  }

  // Pushing

  /** Half of the time one that is being purged from the trash, if there is one. */
  #imageToPush(repo: string): Image {
    const { random, universe, ledger, tally } = this.options;
    if (random.chance(0.5)) return random.pick(universe.images);
    const ending = new Set(ledger.trashThatEnds(repo));
    const some = universe.images.filter(({ manifest }) => ending.has(manifest.digest));
    if (some.length === 0) return random.pick(universe.images);
    tally.count('pushes when a trash ends');
    return random.pick(some);
  }

  async #push(repo: string, content: Image, subject?: string): Promise<void> {
    const { random, leaseMs, tally } = this.options;
    for (const one of content.blobs) await this.provide(repo, one);
    const tag = subject === undefined && random.chance(0.7) ? `t${random.below(TAGS)}` : undefined;
    const put = () => this.put(repo, content.manifest, tag, content.blobs);
    if (!random.chance(0.3) || this.#deferred.length > 5) return put();
    // Before the promise ends, after it, or when the lease of the hub ends.
    const after = random.pick([0.5, 0.8, 0.9, 1.1, 2 + random.next() * 0.2]) * leaseMs;
    tally.count('manifests put later');
    this.#deferred.push({ at: performance.now() + after, put });
  }

  /** An index over images that are there or not; those that are not are pushed first. */
  async #index(repo: string): Promise<void> {
    const { random, universe, ledger, tally } = this.options;
    const { manifest, children } = random.pick(universe.indexes);
    const readings = [];
    for (const child of children) {
      const { digest } = child.manifest;
      let reading = ledger.manifests.at(repo, digest).read();
      const head = await this.ask('HEAD child', [200, 404], () => this.repo(repo).headManifest(digest));
      if (head.status === 404) {
        if (reading.expected() === true)
          tally.complain('broken manifest', `${repo}: ${this.named(digest)} was acknowledged, and is not there`);
        for (const one of child.blobs) await this.provide(repo, one);
        await this.put(repo, child.manifest, undefined, child.blobs);
        reading = ledger.manifests.at(repo, digest).read();
      } else reading.learn(true);
      readings.push({ digest, reading });
    }
    const change = ledger.manifests.at(repo, manifest.digest).change();
    const tag = `t${random.below(TAGS)}`;
    const moved = ledger.tags.at(repo, tag).change();
    const answer = await this.changing([change, moved], () =>
      this.ask('PUT index', [201, 404], () => this.repo(repo).putManifest(manifest, tag)),
    );
    if (answer.status === 404) {
      for (const { digest, reading } of readings) {
        if (reading.expected() === true && answer.body.includes(digest))
          tally.complain('broken manifest', `${repo}: an index may not list ${digest}, which is there`);
      }
      tally.count('indexes without a child');
      change.refused();
      return moved.refused();
    }
    tally.count('indexes put');
    const alone = change.alone();
    change.done(true);
    moved.done(manifest.digest);
    if (alone) ledger.absence(repo, manifest.digest).returned();
  }

  #attach(repo: string): Promise<void> {
    const { random, universe, ledger, tally } = this.options;
    const there = universe.attachments.filter(({ to }) => ledger.manifests.at(repo, to.manifest.digest).value === true);
    tally.count('attachments');
    const attachment = random.pick(there.length > 0 ? there : universe.attachments);
    return this.#push(repo, attachment, attachment.to.manifest.digest);
  }

  async #retag(repo: string): Promise<void> {
    const { random, universe, ledger, tally } = this.options;
    const there = universe.images.filter(({ manifest }) => ledger.manifests.at(repo, manifest.digest).value === true);
    if (there.length === 0) return this.#push(repo, random.pick(universe.images));
    const { manifest, blobs } = random.pick(there);
    tally.count('tags moved');
    return this.put(repo, manifest, `t${random.below(TAGS)}`, blobs);
  }

  // Deleting

  async #remove(repo: string, known: readonly string[]): Promise<void> {
    const { ledger, tally, random, universe } = this.options;
    // An index holds its children, so now and then one of these.
    const some = random.chance(0.3) ? universe.indexes.map(({ manifest }) => manifest.digest) : known;
    const digest = random.pick(some.length > 0 ? some : universe.images.map(({ manifest }) => manifest.digest));
    ledger.absence(repo, digest).leaving();
    const change = ledger.manifests.at(repo, digest).change();
    const tags = Array.from({ length: TAGS }, (_, at) => ledger.tags.at(repo, `t${at}`).change());
    const answer = await this.changing([change, ...tags], () =>
      this.ask('DELETE manifest', [202, 404, 405], () => this.repo(repo).deleteManifest(digest)),
    );
    for (const tag of tags) {
      if (tag.before === undefined) tag.unknown();
      else if (tag.before === digest && answer.status === 202) tag.done('');
      else tag.refused();
    }
    if (answer.status === 405) {
      tally.count('deletes refused');
      return change.refused();
    }
    tally.count('manifests deleted');
    change.done(false);
  }

  async #untag(repo: string): Promise<void> {
    const { random, ledger, tally } = this.options;
    const tag = `t${random.below(TAGS)}`;
    const moved = ledger.tags.at(repo, tag).change();
    await this.changing([moved], () => this.ask('DELETE tag', [202, 404], () => this.repo(repo).deleteManifest(tag)));
    tally.count('tags deleted');
    moved.done('');
  }

  async #deleteBlob(repo: string): Promise<void> {
    const { random, ledger, tally, universe } = this.options;
    const { digest } = random.pick(universe.contents);
    const change = ledger.blobs.at(repo, digest).change();
    const answer = await this.changing([change], () =>
      this.ask('DELETE blob', [202, 404, 405], () => this.repo(repo).deleteBlob(digest)),
    );
    tally.count(answer.status === 202 ? 'blobs deleted' : 'deletes of blobs refused');
    change.done(true);
  }

  // Looking

  async #pullByTag(repo: string): Promise<void> {
    const { random, ledger, tally } = this.options;
    const tag = `t${random.below(TAGS)}`;
    const reading = ledger.tags.at(repo, tag).read();
    const head = await this.ask('HEAD tag', [200, 404], () => this.repo(repo).headManifest(tag));
    const digest = head.status === 404 ? '' : (head.header('Docker-Content-Digest') ?? '');
    const expected = reading.expected();
    if (expected !== undefined && expected !== digest)
      tally.complain('wrong answer', `${repo}:${tag} is ${digest || 'missing'} and should be ${expected || 'missing'}`);
    reading.learn(digest);
    if (digest !== '') await this.pull(repo, digest, tag);
  }

  #pullByDigest(repo: string, known: readonly string[]): Promise<void> {
    const { random, universe } = this.options;
    return this.pull(repo, random.pick(known.length > 0 ? known : universe.images.map((one) => one.manifest.digest)));
  }

  /** Best one whose lease ends now. */
  async #lookAtBlob(repo: string): Promise<void> {
    const { random, ledger, universe, tally } = this.options;
    const ending = new Set(ledger.leasesThatEnd(repo));
    const some = universe.contents.filter(({ digest }) => ending.has(digest));
    const content = random.pick(some.length > 0 ? some : universe.contents);
    if (some.length > 0) tally.count('pushes when a lease ends');
    await this.provide(repo, content);
    const promised = ledger.promised(repo, content.digest);
    const get = await this.ask('GET blob', [200, 404], () => this.repo(repo).getBlob(content.digest));
    if (get.status === 404) this.judgeMissing('GET', repo, content.digest, promised);
    else this.sameBytes(repo, get.body, content.digest);
  }
}
