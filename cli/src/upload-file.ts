/** Puts one file into a version through /files. What a cut request brought is kept by the hub and not sent again. */
import { CliError, HubError, printable } from './errors.ts';
import { accept, Unreachable, type Hub } from './http.ts';
import type { Hashed } from './local-files.ts';
import { filesPath, type Reference } from './reference.ts';
import type { FileProgress } from './progress.ts';

/** Smaller files are sent at once: asking first costs more. */
const WORTH_ASKING = 256 * 1024;
/** The hub keeps nothing of a cut request below this. */
const RESUMABLE = 1024 * 1024;
/** A cut request may still hold the file for a moment. */
const MOST_CONFLICTS = 3;

export async function putFile(
  hub: Hub,
  version: Reference,
  file: Hashed,
  progress: FileProgress,
  note: (line: string) => void,
): Promise<'created' | 'replaced' | 'unchanged'> {
  const path = filesPath({ ...version, path: file.path });
  const sha256 = file.digest.slice('sha256:'.length);
  if (file.size >= WORTH_ASKING) {
    const deploy = { 'X-Checksum-Deploy': 'true', 'X-Checksum-Sha256': sha256, Accept: 'application/json' };
    const answer = await hub.ask({ method: 'PUT', path, headers: deploy }, [404]);
    const text = await answer.text();
    if (answer.status !== 404) return outcomeOf(text);
  }
  let conflicts = 0;
  let fromStart = file.size < RESUMABLE;
  return hub.persist(printable(file.path), async (progressed) => {
    const offset = fromStart ? 0 : await offsetOf(hub, path, file.size);
    if (offset > 0)
      note(`${file.path}: going on at ${offset.toLocaleString('en')} of ${file.size.toLocaleString('en')} bytes`);
    progress.at(offset);
    const headers = {
      Accept: 'application/json',
      'X-Checksum-Sha256': sha256,
      ...(offset > 0 && { 'Content-Range': `bytes ${offset}-${file.size - 1}/${file.size}` }),
    };
    const sent = (bytes: number): void => {
      progress.add(bytes);
      progressed();
    };
    const body = file.size === 0 ? Buffer.alloc(0) : { file: file.file, start: offset, end: file.size - 1, sent };
    try {
      const answer = await accept(await hub.send({ method: 'PUT', path, headers, body }));
      return outcomeOf(await answer.text());
    } catch (error) {
      if (!(error instanceof HubError) || offset === 0) throw error;
      if (error.code === 'checksum-mismatch') {
        fromStart = true;
        throw new Unreachable('what was sent before belongs to another file');
      }
      const held = error.status === 409 && conflicts++ < MOST_CONFLICTS;
      if (held || error.status === 416) throw new Unreachable(error.message);
      throw error;
    }
  });
}

/** How many bytes are there already. A piece cannot be empty, so what came whole and was not finished begins anew. */
async function offsetOf(hub: Hub, path: string, size: number): Promise<number> {
  const answer = await accept(await hub.send({ method: 'HEAD', path: `${path}?partial` }), [404]);
  const offset = Number(answer.header('upload-offset') ?? 0);
  return Number.isSafeInteger(offset) && offset < size ? offset : 0;
}

function outcomeOf(text: string): 'created' | 'replaced' | 'unchanged' {
  try {
    return (JSON.parse(text) as { outcome: 'created' | 'replaced' | 'unchanged' }).outcome;
  } catch {
    throw new CliError('The hub did not say what became of the file');
  }
}
