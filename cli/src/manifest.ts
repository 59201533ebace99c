/** The manifest of a version of files, byte for byte as the hub builds it (docs/files.md, "The same files through /v2"). */
import { createHash } from 'node:crypto';
import type { Hashed } from './local-files.ts';

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const EMPTY_CONFIG = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
  size: 2,
  data: 'e30=',
};

/** @param files in byte order of their paths */
export function writeManifest(files: readonly Hashed[], properties: Readonly<Record<string, string>>): Buffer {
  const annotations = Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1));
  const document = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: 'application/vnd.berth.file.v1',
    config: EMPTY_CONFIG,
    layers: files.map(({ path, digest, size }) => ({
      mediaType: 'application/octet-stream',
      digest,
      size,
      annotations: { 'org.opencontainers.image.title': path },
    })),
    ...(annotations.length > 0 && { annotations: Object.fromEntries(annotations) }),
  };
  return Buffer.from(JSON.stringify(document));
}

export function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
