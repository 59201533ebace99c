/** Pushing as the clients of the storm do it: blobs that are there already are not sent again, on the word of the hub. */
import { locationOf, type Answer, type Blob, type Manifest } from '../harness/oci-client.ts';
import type { Change } from './storm-ledger.ts';
import { Session } from './storm-session.ts';

export class Pusher extends Session {
  /** Sees to it that a blob is there, as clients do: looks first, or mounts, or sends it anyway. */
  async provide(repo: string, content: Blob): Promise<void> {
    const { random, ledger, tally, universe } = this.options;
    const dice = random.next();
    if (dice < 0.65) {
      if (await this.head(repo, content.digest)) return tally.count('uploads skipped');
    } else if (dice < 0.85) {
      const keep = ledger.asking(repo, content.digest);
      const from = random.chance(0.6) ? random.pick(universe.repositories) : undefined;
      const mount = await this.ask('mount', [201, 202], () => this.repo(repo).mount(content.digest, from));
      tally.count(mount.status === 201 ? 'mounts' : 'mounts that became uploads');
      if (mount.status === 201) return keep();
      return this.#finish(repo, content, locationOf(mount));
    }
    const post = await this.ask('POST upload', [202], () => this.repo(repo).post());
    let location = locationOf(post);
    if (!random.chance(0.3)) return this.#finish(repo, content, location);
    const half = content.bytes.subarray(0, Math.ceil(content.size / 2));
    const patch = await this.ask('PATCH upload', [202], () => this.repo(repo).patch(location, half, 0));
    location = locationOf(patch);
    return this.#finish(repo, content, location, half.length);
  }

  async #finish(repo: string, content: Blob, location: string, from = 0): Promise<void> {
    const keep = this.options.ledger.asking(repo, content.digest);
    const rest = content.bytes.subarray(from);
    await this.ask('PUT upload', [201], () =>
      from === 0
        ? this.repo(repo).close(location, content.digest, rest)
        : this.repo(repo).close(location, content.digest, rest, from),
    );
    keep();
    this.options.tally.count('uploads');
  }

  /** Puts a manifest, and judges a refusal by what had been promised before. */
  async put(repo: string, content: Manifest, tag: string | undefined, blobs: readonly Blob[]): Promise<void> {
    const { ledger, tally, universe } = this.options;
    const attachment = universe.attachments.find(({ manifest }) => manifest.digest === content.digest);
    const absence = attachment && ledger.absence(repo, attachment.to.manifest.digest);
    const mark = absence?.mark;
    const promises = blobs.map(({ digest }) => ({ digest, promised: ledger.promised(repo, digest) }));
    const change = ledger.manifests.at(repo, content.digest).change();
    const moved = tag === undefined ? undefined : ledger.tags.at(repo, tag).change();
    const reference = tag ?? attachment?.tag ?? content.digest;
    const answer = await this.changing([change, moved], () =>
      this.ask('PUT manifest', [201, 404], () => this.repo(repo).putManifest(content, reference)),
    );
    if (answer.status === 404) {
      this.#judgeRefusal(repo, answer, promises);
      if (change.alone() && change.before === true && ledger.mustStay(repo, content.digest))
        tally.complain('broken manifest', `${repo}: ${content.digest} is there, and may not be put again`);
      change.refused();
      moved?.refused();
      return;
    }
    tally.count('manifests put');
    if (attachment) {
      const stillThere = mark !== undefined && absence?.mark === mark ? mark : undefined;
      ledger.attach(repo, content.digest, attachment.to.manifest.digest, stillThere);
    }
    const alone = change.alone();
    change.done(true);
    moved?.done(content.digest);
    if (alone) ledger.absence(repo, content.digest).returned();
  }

  #judgeRefusal(
    repo: string,
    answer: Answer,
    promises: readonly { readonly digest: string; readonly promised: () => number | undefined }[],
  ): void {
    const { errors } = answer.json<{ errors: { code: string; detail?: { digests?: string[] } }[] }>();
    if (errors[0]?.code !== 'MANIFEST_BLOB_UNKNOWN')
      this.options.tally.complain('wrong answer', `PUT manifest: ${answer.body.toString()}`);
    const named = errors[0]?.detail?.digests;
    // Without names it is one of them.
    if (!named && promises.some(({ promised }) => promised() === undefined)) return;
    for (const { digest, promised } of promises)
      if (named?.includes(digest) ?? true) this.judgeMissing('PUT manifest', repo, digest, promised);
  }

  /** With the right to push, which is what makes the answer a promise. */
  async head(repo: string, digest: string): Promise<boolean> {
    const { ledger } = this.options;
    const promised = ledger.promised(repo, digest);
    const keep = ledger.asking(repo, digest);
    const scopes = [`repository:${repo}:pull,push`];
    const ask = () => this.repo(repo).request('HEAD', `/blobs/${digest}`, { scopes });
    const head = await this.ask('HEAD blob', [200, 404], ask);
    if (head.status === 200) keep();
    else this.judgeMissing('HEAD', repo, digest, promised);
    return head.status === 200;
  }

  /** @throws as `work` does, when nobody knows how the changes went */
  async changing(
    changes: readonly (Pick<Change<never>, 'unanswered'> | undefined)[],
    work: () => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await work();
    } catch (error) {
      for (const change of changes) change?.unanswered();
      throw error;
    }
  }
}
