/** Files by HTTP in a repository that one client of the storm has to itself, so that it knows what is in each version. */
import { basic, send, type Answer, type Blob } from '../harness/oci-client.ts';
import { Unanswered, type Session } from './storm-session.ts';

const VERSIONS = 4;
const PATHS = 3;

export class FilesOfOne {
  readonly #session: Session;
  readonly #repo: string;
  /** Digest by path, of each version; without an entry when an answer was lost. */
  #versions = new Map<string, Map<string, string>>();
  #generation = 0;

  constructor(session: Session, repo: string) {
    this.#session = session;
    this.#repo = repo;
  }

  async once(): Promise<void> {
    const { random, universe } = this.#session.options;
    const version = `${this.#generation}.0.${random.below(VERSIONS)}`;
    const path = `f${random.below(PATHS)}`;
    const files = this.#versions.get(version) ?? new Map<string, string>();
    this.#versions.set(version, files);
    const dice = random.next();
    try {
      if (dice < 0.35) await this.#put(version, path, random.pick(universe.contents), files);
      else if (dice < 0.5) await this.#delete(version, path, files);
      else if (dice < 0.85) await this.#get(version, path, files.get(path));
      else await this.#pullAsArtifact(version, files);
    } catch (error) {
      // What is in the version now nobody knows: on with others.
      if (error instanceof Unanswered) this.#generation++;
      throw error;
    }
  }

  /** Everything that must be there, when nothing else goes on. */
  async checkAll(): Promise<void> {
    for (const [version, files] of this.#versions) {
      if (!version.startsWith(`${this.#generation}.`)) continue;
      for (const [path, digest] of files) await this.#get(version, path, digest);
    }
  }

  async #put(version: string, path: string, content: Blob, files: Map<string, string>): Promise<void> {
    const { random, tally } = this.#session.options;
    const byChecksum = random.chance(0.3);
    const headers: Record<string, string> = byChecksum
      ? { 'X-Checksum-Deploy': 'true', 'X-Checksum-Sha256': content.digest.slice('sha256:'.length) }
      : {};
    const body = byChecksum ? {} : { body: content.bytes };
    const answer = await this.#ask('PUT file', byChecksum ? [200, 201, 404] : [200, 201], version, path, {
      method: 'PUT',
      headers,
      ...body,
    });
    if (answer.status === 404) return tally.count('files not there by checksum');
    tally.count(byChecksum ? 'files put by checksum' : 'files put');
    files.set(path, content.digest);
  }

  async #delete(version: string, path: string, files: Map<string, string>): Promise<void> {
    const expected = files.has(path) ? [204] : [404];
    await this.#ask('DELETE file', expected, version, path, { method: 'DELETE' });
    this.#session.options.tally.count('files deleted');
    files.delete(path);
  }

  async #get(version: string, path: string, digest: string | undefined): Promise<void> {
    const { tally } = this.#session.options;
    const answer = await this.#ask('GET file', [200, 404], version, path, {});
    tally.count('files read');
    const name = `${this.#repo}:${version}/${path}`;
    if (digest === undefined && answer.status === 200)
      tally.complain('wrong answer', `${name} is there and should not be`);
    if (digest === undefined) return;
    if (answer.status === 404) tally.complain('broken manifest', `${name} was acknowledged, and is not there`);
    else this.#session.sameBytes(name, answer.body, digest);
  }

  /** As oras does, for which its manifest is built. */
  async #pullAsArtifact(version: string, files: Map<string, string>): Promise<void> {
    const { tally } = this.#session.options;
    const repo = this.#session.repo(this.#repo);
    const name = `${this.#repo}:${version}`;
    const answer = await this.#session.ask('GET version', [200, 404], () => repo.getManifest(version));
    if ((answer.status === 404) !== (files.size === 0))
      return tally.complain('broken manifest', `${name} has ${files.size} files and answers ${answer.status}`);
    if (answer.status === 404) return;
    for (const { digest } of answer.json<{ layers: { digest: string }[] }>().layers) {
      const blob = await this.#session.ask('GET layer', [200, 404], () => repo.getBlob(digest));
      if (blob.status === 404) tally.complain('broken manifest', `${name} is there without ${digest}`);
      else this.#session.sameBytes(name, blob.body, digest);
    }
    tally.count('versions pulled');
  }

  #ask(
    what: string,
    expected: readonly number[],
    version: string,
    path: string,
    request: { method?: string; headers?: Record<string, string>; body?: Buffer },
  ): Promise<Answer> {
    const { client, credentials } = this.#session.options;
    const headers = { ...request.headers, Authorization: basic(credentials) };
    return this.#session.ask(`${what} of ${this.#repo}:${version}`, expected, () =>
      send(client.origin, { ...request, headers, path: `/files/${this.#repo}:${version}/${path}` }),
    );
  }
}
