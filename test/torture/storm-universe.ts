/**
 * All that the clients of a storm push: few enough contents that they meet again and again, in other repositories and after
 * they were collected, and made from the seed so that the same thing has the same digest every time.
 */
import { blob, describe, index, manifest, MEDIA, type Blob, type Image } from '../harness/oci-client.ts';
import type { Random } from './random.ts';

export interface Universe {
  readonly repositories: readonly string[];
  readonly contents: readonly Blob[];
  readonly images: readonly Image[];
  readonly indexes: readonly { readonly manifest: Image['manifest']; readonly children: readonly Image[] }[];
  /** What is attached to an image: with `subject`, or, without it, under cosign's tag for the image. */
  readonly attachments: readonly Attachment[];
}

export interface Attachment extends Image {
  readonly to: Image;
  readonly tag: string | undefined;
}

export function createUniverse(random: Random): Universe {
  const contents = Array.from({ length: 240 }, () => blob(contentOf(random)));
  const images = Array.from({ length: 110 }, (_, at) => imageOf(random, contents, { image: String(at) }));
  const indexes = Array.from({ length: 25 }, (_, at) => {
    const children = [...new Set([random.pick(images), random.pick(images), random.pick(images)])];
    const extra = { annotations: { index: String(at) } };
    return {
      children,
      manifest: index(
        children.map((child) => child.manifest),
        { extra },
      ),
    };
  });
  const attachments = images.slice(0, 60).map((to, at): Attachment => {
    const cosign = at % 3 === 0;
    const made = imageOf(random, contents, { attached: String(at) }, cosign ? undefined : to.manifest);
    return { ...made, to, tag: cosign ? `${to.manifest.digest.replace(':', '-')}.sig` : undefined };
  });
  const repositories = Array.from({ length: 8 }, (_, at) => `storm${at % 3}/app${at}`);
  return { repositories, contents, images, indexes, attachments };
}

/** Mostly small; a few so large that they take several parts in S3. */
function contentOf(random: Random): Buffer {
  const dice = random.next();
  const length = dice < 0.02 ? 8_500_000 + random.below(500_000) : dice < 0.1 ? 200_000 : 100 + random.below(30_000);
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(Math.floor(random.next() * 2 ** 32), at);
  return bytes;
}

function imageOf(random: Random, contents: readonly Blob[], labels: Record<string, string>, subject?: Blob): Image {
  const layers = [...new Set(Array.from({ length: 1 + random.below(4) }, () => random.pick(contents)))];
  const config = blob(JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Labels: labels } }));
  const document = {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: describe(config, MEDIA.config),
    layers: layers.map((layer) => describe(layer, MEDIA.layer)),
    ...(subject ? { subject: describe(subject, MEDIA.manifest) } : {}),
    annotations: labels,
  };
  return { manifest: manifest(document), blobs: [config, ...layers] };
}
