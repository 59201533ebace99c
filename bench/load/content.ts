/** Bytes to push: never the same twice, with a digest that costs no second pass over them. */
import { createHash, randomFillSync, type Hash } from 'node:crypto';
import type { Flow, Payload } from '../wire/registry.ts';
import { FRAME_TAIL, frameChunks } from '../wire/request.ts';

/** The last bytes of every blob are a serial number, so that all before them is hashed once for all. */
const SERIAL = 32;

let serial = 0;

/** A blob of random bytes that differs at each call of `next`. Its memory is reused: one push at a time. */
export class ChangingBlob {
  readonly #wire: Buffer;
  readonly #serial: Buffer;
  readonly #prefix: Hash;

  constructor(size: number, flow: Flow) {
    const payload = randomFillSync(Buffer.allocUnsafeSlow(size));
    this.#prefix = createHash('sha256').update(payload.subarray(0, size - SERIAL));
    this.#wire = flow === 'docker' ? frameChunks(payload) : payload;
    const end = this.#wire.length - (flow === 'docker' ? FRAME_TAIL : 0);
    this.#serial = this.#wire.subarray(end - SERIAL, end);
  }

  next(): Payload {
    serial += 1;
    this.#serial.writeUInt32BE(serial);
    const digest = this.#prefix.copy().update(this.#serial).digest('hex');
    return { digest: `sha256:${digest}`, parts: [this.#wire] };
  }
}

/** A blob of fixed content. */
export interface FixedBlob extends Payload {
  readonly size: number;
}

export function randomBlob(size: number): FixedBlob {
  const bytes = randomFillSync(Buffer.allocUnsafeSlow(size));
  return { size, parts: [bytes], digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

/** A large blob that needs little memory: the same random block many times. */
export function repeatedBlob(size: number): FixedBlob {
  const block = randomFillSync(Buffer.allocUnsafeSlow(Math.min(size, 32 * 1024 * 1024)));
  const parts: Buffer[] = [];
  const hash = createHash('sha256');
  for (let left = size; left > 0; left -= block.length) {
    const part = block.subarray(0, Math.min(left, block.length));
    parts.push(part);
    hash.update(part);
  }
  return { size, parts, digest: `sha256:${hash.digest('hex')}` };
}

/** An image manifest over these blobs; `note` makes it unique. */
export function imageManifest(config: FixedBlob, layers: readonly FixedBlob[], note: string): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: config.size },
      layers: layers.map(({ digest, size }) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest,
        size,
      })),
      annotations: { 'org.opencontainers.image.revision': note },
    }),
  );
}
