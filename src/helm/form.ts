/** The form of an upload, by multer: two fields with files, held in memory that is bounded, and nothing else. */
import { Readable } from 'node:stream';
import type { Context } from 'koa';
import multer from 'multer';
import { BodyAborted, BodyTooLarge } from '../http/body.ts';
import { CHART_LIMITS } from '../registry/charts/limits.ts';
import type { BodyInMemory } from './body-memory.ts';
import { HelmError } from './errors.ts';

const BODY_LIMIT = CHART_LIMITS.compressed + CHART_LIMITS.provenance + 64 * 1024;

/** Keeps a file as it comes. A chart and a provenance file have different limits, which multer's one would not do. */
const memory: multer.StorageEngine = {
  _handleFile(_request, file, done) {
    const limit = file.fieldname === 'prov' ? CHART_LIMITS.provenance : CHART_LIMITS.compressed;
    const chunks: Buffer[] = [];
    let size = 0;
    file.stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else chunks.length = 0;
    });
    file.stream.once('error', (error: Error) => done(error));
    file.stream.once('end', () =>
      size <= limit ? done(null, { buffer: Buffer.concat(chunks), size }) : done(new BodyTooLarge(limit)),
    );
  },
  _removeFile(_request, _file, done) {
    done(null);
  },
};

const parse = multer({
  storage: memory,
  limits: { files: 2, fields: 8, parts: 10, fieldNameSize: 100, fieldSize: 1_024, headerPairs: 16 },
}).fields([
  { name: 'chart', maxCount: 1 },
  { name: 'prov', maxCount: 1 },
]);

/**
 * @throws {HelmError} when the form is not one
 * @throws {BodyTooLarge}
 */
export async function readForm(ctx: Context, body: BodyInMemory): Promise<{ chart?: Buffer; prov?: Buffer }> {
  const request = Readable.from(body.chunks(BODY_LIMIT), { objectMode: false });
  // To multer it is the request: what it reads is paced and limited as any other body.
  Object.assign(request, { headers: ctx.req.headers });
  try {
    await new Promise<void>((resolve, reject) => {
      parse(request as never, ctx.res as never, (error: unknown) => (error === undefined ? resolve() : reject(error)));
    });
  } catch (error) {
    throw translate(error);
  } finally {
    request.destroy();
  }
  const { chart, prov } = (request as { files?: Record<string, { buffer: Buffer }[]> }).files ?? {};
  return { ...(chart?.[0] && { chart: chart[0].buffer }), ...(prov?.[0] && { prov: prov[0].buffer }) };
}

/** What multer and busboy say of a form is the client's fault. */
function translate(error: unknown): unknown {
  if (error instanceof BodyTooLarge || error instanceof BodyAborted || error instanceof HelmError) return error;
  if ((error as { code?: string }).code === 'LIMIT_UNEXPECTED_FILE') {
    return new HelmError(400, 'A form has one file in its field chart, one in its field prov, or both, and no others');
  }
  return new HelmError(400, `The form cannot be read: ${(error as Error).message}`);
}
