/**
 * Sends bytes to a repository through /v2, where nothing shows until a manifest names them. How far an upload is, is kept in
 * `$XDG_STATE_HOME/berth`, so that a program that was killed goes on where it ended.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError, HubError, printable } from './errors.ts';
import { accept, Unreachable, type Answer, type Hub } from './http.ts';
import type { Hashed } from './local-files.ts';
import type { FileProgress } from './progress.ts';

/** Smaller blobs are sent without asking whether they are there. */
const WORTH_ASKING = 64 * 1024;
/** Larger ones go through an upload that can be gone on with. */
const ONE_REQUEST = 16 * 1024 * 1024;

export interface BlobTarget {
  readonly hub: Hub;
  readonly repository: string;
  /** Folder for what is remembered about uploads. */
  readonly state: string;
  readonly note: (line: string) => void;
}

export async function sendBlob(target: BlobTarget, file: Hashed, progress: FileProgress): Promise<void> {
  const { hub, repository } = target;
  if (file.size >= WORTH_ASKING) {
    const answer = await hub.ask({ method: 'HEAD', path: `/v2/${repository}/blobs/${file.digest}` }, [404]);
    if (answer.status !== 404) return;
  }
  if (file.size > ONE_REQUEST) return sendResumably(target, file, progress);
  await hub.persist(printable(file.path), async () => {
    progress.at(0);
    const body =
      file.size === 0 ? Buffer.alloc(0) : { file: file.file, start: 0, end: file.size - 1, sent: progress.add };
    await accept(await hub.send({ method: 'POST', path: uploadsPath(repository, file.digest), headers: OCTETS, body }));
  });
}

export async function sendBytes({ hub, repository }: BlobTarget, digest: string, body: Buffer): Promise<void> {
  await hub.ask({ method: 'POST', path: uploadsPath(repository, digest), headers: OCTETS, body });
}

const OCTETS = { 'Content-Type': 'application/octet-stream' };

function uploadsPath(repository: string, digest: string): string {
  return `/v2/${repository}/blobs/uploads/?digest=${encodeURIComponent(digest)}`;
}

async function sendResumably(target: BlobTarget, file: Hashed, progress: FileProgress): Promise<void> {
  const { hub, note } = target;
  const memory = new UploadMemory(target, file.digest);
  let location = await memory.read();
  await hub.persist(printable(file.path), async (progressed) => {
    let offset = 0;
    if (location !== undefined) {
      const answer = await accept(await hub.send({ method: 'GET', path: location }), [404]);
      if (answer.status !== 404) offset = offsetOf(answer);
      if (offset === 0) location = undefined;
    }
    if (location === undefined) {
      const path = `/v2/${target.repository}/blobs/uploads/`;
      location = locationOf(await accept(await hub.send({ method: 'POST', path, body: Buffer.alloc(0) })));
      await memory.write(location);
    } else {
      note(`${file.path}: going on at ${offset.toLocaleString('en')} of ${file.size.toLocaleString('en')} bytes`);
    }
    progress.at(offset);
    try {
      // Without a Content-Range the hub keeps what comes before a cut.
      if (offset < file.size) {
        const sent = (bytes: number): void => {
          progress.add(bytes);
          progressed();
        };
        const body = { file: file.file, start: offset, end: file.size - 1, sent };
        location = locationOf(await accept(await hub.send({ method: 'PATCH', path: location, headers: OCTETS, body })));
      }
      const path = `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(file.digest)}`;
      await accept(await hub.send({ method: 'PUT', path, body: Buffer.alloc(0) }));
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      if (error.status === 404 || error.code === 'DIGEST_INVALID') {
        await memory.forget();
        location = undefined;
        if (offset > 0) throw new Unreachable('what was sent before is of no use');
      }
      throw error;
    }
  });
  await memory.forget();
}

/** `Range: 0-0` is said of no byte and of one, so one byte counts as none. */
function offsetOf(answer: Answer): number {
  const last = Number(/^0-(\d+)$/.exec(answer.header('range') ?? '')?.[1] ?? 0);
  return last === 0 ? 0 : last + 1;
}

function locationOf(answer: Answer): string {
  const location = answer.header('location');
  if (location === undefined) throw new CliError('The hub did not say where the upload goes on');
  return location;
}

class UploadMemory {
  readonly #file: string;
  readonly #prefix: string;

  constructor({ hub, repository, state }: BlobTarget, digest: string) {
    const name = createHash('sha256')
      .update(JSON.stringify([hub.origin, repository, digest]))
      .digest('hex');
    this.#file = join(state, 'uploads', name);
    this.#prefix = `/v2/${repository}/blobs/uploads/`;
  }

  async read(): Promise<string | undefined> {
    const text = (await readFile(this.#file, 'utf8').catch(() => '')).trim();
    return text.startsWith(this.#prefix) ? text : undefined;
  }

  /** Not being able to remember is no reason not to send. */
  async write(location: string): Promise<void> {
    await mkdir(join(this.#file, '..'), { recursive: true, mode: 0o700 }).catch(() => {});
    await writeFile(this.#file, location, { mode: 0o600 }).catch(() => {});
  }

  async forget(): Promise<void> {
    await rm(this.#file, { force: true }).catch(() => {});
  }
}
