/**
 * What a client says its bytes are, in every way that clients say it, checked before anything becomes visible; and what the
 * hub says they are. `Repr-Digest`, `Digest` and `X-Checksum-*` speak of the whole file, `Content-Digest` and `Content-MD5` of
 * the body at hand, which is a piece of it when there is a Content-Range (RFC 9530, RFC 3230, RFC 1864).
 */
import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import { algorithmOf, type Digest } from '../blobs/digest.ts';
import { FileRefusal } from '../registry/files/refusal.ts';
import { FileError } from './errors.ts';

const BYTES = { sha256: 32, sha512: 64, sha1: 20, md5: 16 } as const;
export type ChecksumAlgorithm = keyof typeof BYTES;
export type Checksums = ReadonlyMap<ChecksumAlgorithm, Buffer>;

/** Names in the structured fields of RFC 9530 and in `Digest`; of algorithms that are not here nothing is checked. */
const REGISTERED: Readonly<Record<string, ChecksumAlgorithm>> = {
  'sha-256': 'sha256',
  'sha-512': 'sha512',
  sha: 'sha1',
  md5: 'md5',
};

export interface Claims {
  /** Of the whole file. */
  readonly whole: Checksums;
  /** Of this request's body. */
  readonly body: Checksums;
  /** What the answer should say besides sha256. */
  readonly wanted: readonly ChecksumAlgorithm[];
}

/** @throws {FileError} for a header that cannot be read, or two that contradict each other */
export function claimsOf(ctx: Context): Claims {
  const whole = new Map<ChecksumAlgorithm, Buffer>();
  const body = new Map<ChecksumAlgorithm, Buffer>();
  for (const algorithm of Object.keys(BYTES) as ChecksumAlgorithm[]) {
    const hex = ctx.get(`X-Checksum-${algorithm}`);
    if (hex !== '') claim(whole, algorithm, fromHex(hex), `X-Checksum-${algorithm}`);
  }
  for (const [algorithm, value] of dictionary(ctx.get('Repr-Digest'), 'Repr-Digest'))
    claim(whole, algorithm, value, 'Repr-Digest');
  for (const [algorithm, value] of dictionary(ctx.get('Content-Digest'), 'Content-Digest'))
    claim(body, algorithm, value, 'Content-Digest');
  for (const [algorithm, value] of instances(ctx.get('Digest'))) claim(whole, algorithm, value, 'Digest');
  const md5 = ctx.get('Content-MD5');
  if (md5 !== '') claim(body, 'md5', fromBase64(md5), 'Content-MD5');
  return { whole, body, wanted: wantedBy(ctx, whole) };
}

function claim(
  into: Map<ChecksumAlgorithm, Buffer>,
  algorithm: ChecksumAlgorithm,
  value: Buffer | undefined,
  header: string,
): void {
  if (value?.length !== BYTES[algorithm]) throw invalid(`${header} is not a ${algorithm} checksum`);
  const before = into.get(algorithm);
  if (before && !before.equals(value)) throw invalid(`${header} contradicts another header of this request`);
  into.set(algorithm, value);
}

/** `sha-256=:…:, sha-512=:…:` (RFC 8941, as RFC 9530 uses it) */
function* dictionary(header: string, name: string): Generator<[ChecksumAlgorithm, Buffer | undefined]> {
  for (const member of header.split(',').map((text) => text.trim())) {
    if (member === '') continue;
    const parts = /^([a-z0-9*_.-]+)=:([A-Za-z0-9+/=]*):(?:;.*)?$/.exec(member);
    if (!parts) throw invalid(`${name} is sha-256=:<base64>:`);
    const algorithm = REGISTERED[parts[1] as string];
    if (algorithm) yield [algorithm, fromBase64(parts[2] as string)];
  }
}

/** `sha-256=…,md5=…` (RFC 3230) */
function* instances(header: string): Generator<[ChecksumAlgorithm, Buffer | undefined]> {
  for (const member of header.split(',').map((text) => text.trim())) {
    if (member === '') continue;
    const equals = member.indexOf('=');
    if (equals < 1) throw invalid('Digest is sha-256=<base64>');
    const algorithm = REGISTERED[member.slice(0, equals).toLowerCase()];
    // Some senders put the colons of the newer header around the value.
    if (algorithm) yield [algorithm, fromBase64(member.slice(equals + 1).replace(/^:(.*):$/, '$1'))];
  }
}

function fromHex(text: string): Buffer | undefined {
  return /^[0-9a-fA-F]+$/.test(text) ? Buffer.from(text, 'hex') : undefined;
}

function fromBase64(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/** Those that were sent are told back; `Want-Repr-Digest` and `Want-Digest` ask for more. */
function wantedBy(ctx: Context, whole: Checksums): ChecksumAlgorithm[] {
  const wanted = new Set(whole.keys());
  for (const member of `${ctx.get('Want-Repr-Digest')},${ctx.get('Want-Digest')}`.split(',')) {
    const [name = '', weight = ''] = member.trim().toLowerCase().split(/[;=]/);
    const algorithm = REGISTERED[name];
    if (algorithm && weight.trim() !== '0') wanted.add(algorithm);
  }
  wanted.delete('sha256');
  return [...wanted];
}

export function sha256Of(checksums: Checksums): Digest | undefined {
  const bytes = checksums.get('sha256');
  return bytes && (`sha256:${bytes.toString('hex')}` as Digest);
}

/**
 * Passes the body on and fails at its end, before anything is kept, if it is not what was claimed. Afterwards `digests` has
 * what was computed.
 * @param whole whether this body is the whole file, so that what was said of the file can be checked
 */
export function checked(body: AsyncIterable<Buffer>, claims: Claims, whole: boolean) {
  const wanted = new Set<ChecksumAlgorithm>(claims.body.keys());
  if (whole) for (const algorithm of [...claims.whole.keys(), ...claims.wanted]) wanted.add(algorithm);
  // The pipeline computes sha256 of the file in any case.
  if (!claims.body.has('sha256')) wanted.delete('sha256');
  const digests = new Map<ChecksumAlgorithm, Buffer>();
  async function* passed(): AsyncGenerator<Buffer> {
    const hashes = [...wanted].map((algorithm) => ({ algorithm, hash: createHash(algorithm) }));
    for await (const chunk of body) {
      for (const { hash } of hashes) hash.update(chunk);
      yield chunk;
    }
    for (const { algorithm, hash } of hashes) {
      const actual = hash.digest();
      digests.set(algorithm, actual);
      const said = [claims.body.get(algorithm), whole ? claims.whole.get(algorithm) : undefined];
      if (said.some((one) => one && !one.equals(actual))) throw mismatch(algorithm, actual);
    }
  }
  return { body: wanted.size === 0 ? body : passed(), digests };
}

/**
 * A file that came in pieces is known by its sha256 alone.
 * @throws {FileRefusal} CHECKSUM_UNSUPPORTED
 */
export function refuseOthers(whole: Checksums): void {
  const other = [...whole.keys()].find((algorithm) => algorithm !== 'sha256');
  if (other === undefined) return;
  throw new FileRefusal(
    'CHECKSUM_UNSUPPORTED',
    `Of a file that is sent in pieces only sha256 is checked, not ${other}`,
  );
}

function mismatch(algorithm: ChecksumAlgorithm, actual: Buffer): FileError {
  return new FileError(
    400,
    'checksum-mismatch',
    `The bytes that were received have ${algorithm} ${actual.toString('hex')}, not the one that was sent with them; nothing was kept`,
  );
}

function invalid(message: string): FileError {
  return new FileError(400, 'request-invalid', message);
}

/** What the hub knows of the bytes. */
export function sayDigests(ctx: Context, digest: Digest, others: Checksums = new Map()): void {
  const algorithm = algorithmOf(digest);
  const known = new Map<ChecksumAlgorithm, Buffer>([[algorithm, Buffer.from(digest.slice(7), 'hex')], ...others]);
  const registered = [...known].flatMap(([name, bytes]) => {
    const field = { sha256: 'sha-256', sha512: 'sha-512', sha1: undefined, md5: undefined }[name];
    return field === undefined ? [] : [`${field}=:${bytes.toString('base64')}:`];
  });
  ctx.set('Repr-Digest', registered.join(', '));
  const headers = { sha256: 'Sha256', sha512: 'Sha512', sha1: 'Sha1', md5: 'Md5' };
  for (const [name, bytes] of known) ctx.set(`X-Checksum-${headers[name]}`, bytes.toString('hex'));
}
