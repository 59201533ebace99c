/**
 * POST of a form: `curl -F file=@a -F file=@b …/files/team/tools:1.0/`. Multer parses; its storage engine hands each part to
 * the pipeline that every other body goes through, so no file is ever on disk or whole in memory. Parts come one after the
 * other; when the form has ended well, all files are put into the version in one transaction.
 */
import { Readable } from 'node:stream';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware } from 'koa';
import multer, { MulterError, type StorageEngine } from 'multer';
import { BodyAborted, readBody } from '../http/body.ts';
import { parseFilePath } from '../registry/files/path.ts';
import { putFiles, type NewFile } from '../registry/files/put.ts';
import { ensureEmptyConfig } from '../registry/files/store.ts';
import { quotaWarning } from '../registry/quota/warning.ts';
import { ensureRepository, type Repository } from '../registry/repositories.ts';
import { storeBlob } from '../registry/uploads.ts';
import { pathOf } from './address.ts';
import { checked, claimsOf } from './checksums.ts';
import { conditionOf } from './conditions.ts';
import { FileError, wantsJson } from './errors.ts';
import { stateOf, type FilesDoor } from './guard.ts';
import { requestAfterBody, tagToWrite } from './write.ts';

/** A form is read part by part; these bound what its frame may cost. */
const LIMITS = {
  files: 1_000,
  parts: 1_020,
  fields: 20,
  fieldNameSize: 200,
  fieldSize: 4_096,
  fieldNestingDepth: 0,
  headerPairs: 20,
};

export function postFiles(door: FilesDoor): Middleware {
  const { registry, pace } = door;
  return async (ctx) => {
    const { address, scene, principal, requestId } = stateOf(ctx);
    if (address.kind !== 'folder') {
      throw new FileError(405, 'method-not-allowed', 'POST a form to a folder: the URL ends with a slash');
    }
    const tag = tagToWrite(ctx);
    if (!ctx.is('multipart/form-data')) {
      throw new FileError(
        415,
        'unsupported-media-type',
        'POST takes a form (curl -F file=@name); to send a file alone, PUT it (curl -T)',
      );
    }
    const claims = claimsOf(ctx);
    if (claims.whole.size > 0) {
      throw new FileError(400, 'request-invalid', 'A checksum of a file goes with a PUT of that file');
    }
    const repository = await ensureRepository(registry, scene, address.repository, principal, requestId);
    const store = (body: AsyncIterable<Buffer>) =>
      storeBlob(registry, { repository, principal, requestId, body, length: undefined });
    const { body } = checked(readBody(ctx, pace), claims, false);
    const files = await receiveForm(ctx, body, async (name, content) => {
      const path = parseFilePath(`${address.folder}${name}`);
      return { path, ...(await store(content)) };
    });
    if (files.length === 0) {
      throw new FileError(
        400,
        'request-invalid',
        'The form has no file with a name; curl sends one with -F file=@name',
      );
    }
    const request = await requestAfterBody(door, ctx, repository, tag);
    await ensureEmptyConfig(registry, { repository, principal, requestId });
    const results = await putFiles(registry, request, files, conditionOf(ctx));
    ctx.status = results.some(({ outcome }) => outcome === 'created') ? 201 : 200;
    const warning = await quotaWarning(registry, repository);
    if (warning !== undefined) ctx.append('Warning', warning);
    answer(ctx, repository, tag, files);
  };
}

type Receive = (name: string, content: AsyncIterable<Buffer>) => Promise<NewFile>;

/** @throws what `receive` throws, BodyAborted, or FileError for a form that cannot be read */
async function receiveForm(ctx: Context, body: AsyncIterable<Buffer>, receive: Receive): Promise<NewFile[]> {
  const files: NewFile[] = [];
  const pending: Promise<unknown>[] = [];
  let failure: unknown;
  const storage: StorageEngine = {
    _handleFile(_request, file, done) {
      const take = async (): Promise<void> => {
        try {
          // Leaving early must not destroy the part: to multer that would be the form's fault.
          const content = file.stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
          files.push(await receive(file.originalname, content));
        } catch (error) {
          failure ??= error;
          // Multer waits for the parser, and the parser for whoever reads the part.
          file.stream.resume();
          return done(error);
        }
        done(null, {});
      };
      pending.push(take());
    },
    // What was stored is not a file of anything until the transaction; the lease on its link runs out.
    _removeFile: (_request, _file, done) => done(null),
  };
  const parse = multer({ storage, limits: LIMITS, preservePath: true, defParamCharset: 'utf8' }).any();
  // Multer leaves listeners on what it reads and drains it without end, so it gets a stream of its own.
  const source = Readable.from(body, { objectMode: false });
  const request = Object.assign(source, { headers: ctx.req.headers });
  try {
    await new Promise<void>((resolve, reject) => {
      source.once('error', reject);
      parse(request as unknown as IncomingMessage as never, {} as ServerResponse as never, (error: unknown) =>
        error === undefined || error === null ? resolve() : reject(error),
      );
    });
    return files;
  } catch (error) {
    await Promise.allSettled(pending);
    // What ended the body explains everything after it, and what a part's receiver says explains what multer says.
    throw toFormError(source.errored ?? failure ?? error);
  } finally {
    source.destroy();
    await Promise.allSettled(pending);
  }
}

/** Multer's own words and the parser's are about the form; anything else is not theirs. */
function toFormError(error: unknown): unknown {
  if (error instanceof MulterError) {
    return new FileError(400, 'request-invalid', `The form cannot be taken: ${error.message}`);
  }
  const message = error instanceof Error ? error.message : '';
  if (
    /^(?:Unexpected end of (?:form|file)|Malformed|Multipart: Boundary|Missing|Unsupported content type)/i.test(message)
  ) {
    return new FileError(400, 'request-invalid', `The form cannot be read: ${message}`);
  }
  if (/^Request (?:closed|aborted)/.test(message)) return new BodyAborted('The client went away in mid-body');
  return error;
}

function answer(ctx: Context, repository: Repository, tag: string, files: readonly NewFile[]): void {
  ctx.set('Cache-Control', 'no-store');
  const entries = files.map(({ path, digest, size }) => ({ path: pathOf(repository.path, tag, path), digest, size }));
  if (wantsJson(ctx)) {
    ctx.set('Content-Type', 'application/json');
    ctx.body = JSON.stringify({ files: entries });
    return;
  }
  ctx.set('Content-Type', 'text/plain; charset=utf-8');
  ctx.body = entries.map(({ path, digest, size }) => `${digest} ${size} ${path}\n`).join('');
}
