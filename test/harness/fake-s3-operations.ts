/** The operations of the fake, with S3's own strictness. */
import { concat, type Content } from './fake-s3-content.ts';
import type { Operation } from './fake-s3-faults.ts';
import { parseKeys, parseParts, S3Error, xml, type Element } from './fake-s3-xml.ts';

export interface OpenUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly parts: Map<number, Content>;
}

export interface State {
  readonly objects: Map<string, Content>;
  readonly uploads: Map<string, OpenUpload>;
  readonly pageSize: number;
  nextUpload: number;
}

export interface Call {
  readonly key: string;
  readonly query: URLSearchParams;
  readonly range: string | undefined;
  /** Reads the body. */
  readonly content: () => Promise<Content>;
  /** With what the delete of one of many keys is refused, if it is. */
  readonly refusal: (key: string) => string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | number>;
  readonly body?: string;
  readonly bytes?: { readonly content: Content; readonly start: number; readonly end: number };
}

const MIN_PART = 5 * 1024 * 1024;

const done = (status: number, headers: Answer['headers'] = {}): Answer => ({ status, headers });
const document = (body: string): Answer => ({ status: 200, headers: { 'content-type': 'application/xml' }, body });

export const operations: Record<Operation, (state: State, call: Call) => Answer | Promise<Answer>> = {
  HeadBucket: () => done(200),

  async PutObject(state, { key, content }) {
    const stored = await content();
    state.objects.set(key, stored);
    return done(200, { etag: stored.etag });
  },

  GetObject(state, { key, query, range }) {
    const content = objectOf(state, key);
    const headers: Answer['headers'] = { etag: content.etag, 'accept-ranges': 'bytes' };
    const type = query.get('response-content-type');
    const disposition = query.get('response-content-disposition');
    if (type !== null) headers['content-type'] = type;
    if (disposition !== null) headers['content-disposition'] = disposition;
    if (range === undefined) return { status: 200, headers, bytes: { content, start: 0, end: content.size } };
    const match = /^bytes=(\d+)-(\d*)$/.exec(range);
    const start = Number(match?.[1]);
    if (match === null || start >= content.size)
      throw new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable');
    const end = match[2] ? Math.min(Number(match[2]) + 1, content.size) : content.size;
    headers['content-range'] = `bytes ${start}-${end - 1}/${content.size}`;
    return { status: 206, headers, bytes: { content, start, end } };
  },

  HeadObject(state, { key }) {
    const { size, etag } = objectOf(state, key);
    return done(200, { 'content-length': size, etag });
  },

  DeleteObject(state, { key }) {
    state.objects.delete(key);
    return done(204);
  },

  async DeleteObjects(state, { content, refusal }) {
    const keys = parseKeys(Buffer.concat((await content()).blocks).toString());
    if (keys.length === 0 || keys.length > 1_000) throw new S3Error(400, 'MalformedXML', 'Between 1 and 1000 keys');
    const answers = keys.map((one): Element => {
      const code = refusal(one);
      if (code !== undefined)
        return [
          'Error',
          [
            ['Key', one],
            ['Code', code],
            ['Message', 'injected'],
          ],
        ];
      state.objects.delete(one);
      return ['Deleted', [['Key', one]]];
    });
    return document(xml('DeleteResult', answers));
  },

  CreateMultipartUpload(state, { key }) {
    const uploadId = `upload-${state.nextUpload++}`;
    state.uploads.set(uploadId, { key, uploadId, parts: new Map() });
    return document(
      xml('InitiateMultipartUploadResult', [
        ['Key', key],
        ['UploadId', uploadId],
      ]),
    );
  },

  async UploadPart(state, { key, query, content }) {
    const n = Number(query.get('partNumber'));
    if (!(n >= 1 && n <= 10_000)) throw new S3Error(400, 'InvalidArgument', 'Part number must be between 1 and 10000');
    uploadOf(state, key, query);
    const part = await content();
    // It may have been completed or aborted while the bytes came in.
    uploadOf(state, key, query).parts.set(n, part);
    return done(200, { etag: part.etag });
  },

  async CompleteMultipartUpload(state, { key, query, content }) {
    const wanted = parseParts(Buffer.concat((await content()).blocks).toString());
    const upload = uploadOf(state, key, query);
    if (wanted.length === 0) throw new S3Error(400, 'MalformedXML', 'You must specify at least one part');
    const parts = wanted.map(({ n, etag }, index) => {
      if (index > 0 && n <= (wanted[index - 1]?.n ?? 0))
        throw new S3Error(400, 'InvalidPartOrder', 'Parts must be in ascending order');
      const part = upload.parts.get(n);
      if (part === undefined || part.etag !== etag)
        throw new S3Error(400, 'InvalidPart', `Part ${n} does not exist or has another ETag`);
      return part;
    });
    const sizes = parts.slice(0, -1).map((part) => part.size);
    if (sizes.some((size) => size < MIN_PART)) throw new S3Error(400, 'EntityTooSmall', 'A part is smaller than 5 MiB');
    // S3 itself does not mind, but there are servers that do.
    if (sizes.some((size) => size !== sizes[0]))
      throw new S3Error(400, 'InvalidPart', 'All parts but the last must have the same size');
    const object = concat(parts);
    state.objects.set(key, object);
    state.uploads.delete(upload.uploadId);
    return document(
      xml('CompleteMultipartUploadResult', [
        ['Key', key],
        ['ETag', object.etag],
      ]),
    );
  },

  AbortMultipartUpload(state, { key, query }) {
    state.uploads.delete(uploadOf(state, key, query).uploadId);
    return done(204);
  },

  ListMultipartUploads(state, { query }) {
    const prefix = query.get('prefix') ?? '';
    const after = `${query.get('key-marker') ?? ''} ${query.get('upload-id-marker') ?? '~'}`;
    const all = [...state.uploads.values()].filter((upload) => upload.key.startsWith(prefix));
    const sorted = all
      .map((upload) => ({ ...upload, place: `${upload.key} ${upload.uploadId}` }))
      .sort((a, b) => (a.place < b.place ? -1 : 1));
    const rest = query.get('key-marker') ? sorted.filter((upload) => upload.place > after) : sorted;
    const page = rest.slice(0, state.pageSize);
    const last = page.at(-1);
    const markers: Element[] =
      page.length < rest.length && last
        ? [
            ['NextKeyMarker', last.key],
            ['NextUploadIdMarker', last.uploadId],
          ]
        : [];
    return document(
      xml('ListMultipartUploadsResult', [
        ['IsTruncated', page.length < rest.length],
        ...markers,
        ...page.map(({ key, uploadId }): Element => [
          'Upload',
          [
            ['Key', key],
            ['UploadId', uploadId],
          ],
        ]),
      ]),
    );
  },

  ListParts(state, { key, query }) {
    const parts = [...uploadOf(state, key, query).parts].sort(([a], [b]) => a - b);
    const after = Number(query.get('part-number-marker') ?? 0);
    const rest = parts.filter(([n]) => n > after);
    const page = rest.slice(0, state.pageSize);
    return document(
      xml('ListPartsResult', [
        ['IsTruncated', page.length < rest.length],
        ['NextPartNumberMarker', page.at(-1)?.[0] ?? 0],
        ...page.map(([n, part]): Element => [
          'Part',
          [
            ['PartNumber', n],
            ['ETag', part.etag],
            ['Size', part.size],
          ],
        ]),
      ]),
    );
  },

  ListObjectsV2(state, { query }) {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
    const limit = Math.min(Number(query.get('max-keys') ?? state.pageSize), state.pageSize);
    const rest = [...state.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = rest.slice(0, limit);
    return document(
      xml('ListBucketResult', [
        ['IsTruncated', page.length < rest.length],
        ['KeyCount', page.length],
        ...(page.length < rest.length ? ([['NextContinuationToken', page.at(-1) ?? '']] as Element[]) : []),
        ...page.map((key): Element => [
          'Contents',
          [
            ['Key', key],
            ['Size', objectOf(state, key).size],
            ['ETag', objectOf(state, key).etag],
          ],
        ]),
      ]),
    );
  },
};

function objectOf(state: State, key: string): Content {
  const content = state.objects.get(key);
  if (content === undefined) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
  return content;
}

function uploadOf(state: State, key: string, query: URLSearchParams): OpenUpload {
  const upload = state.uploads.get(query.get('uploadId') ?? '');
  if (upload?.key !== key) throw new S3Error(404, 'NoSuchUpload', 'The specified upload does not exist.');
  return upload;
}
