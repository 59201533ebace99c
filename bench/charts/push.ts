/** `helm push`, as the requests that it makes. */
import { createHash } from 'node:crypto';
import type { Archive } from './content.ts';

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG_TYPE = 'application/vnd.cncf.helm.config.v1+json';
const ARCHIVE_TYPE = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

export function chartConfig({ name, version }: Archive): Buffer {
  return Buffer.from(JSON.stringify({ name, version, apiVersion: 'v2' }));
}

export async function pushChart(
  { origin, namespace }: { readonly origin: string; readonly namespace: string },
  authorization: string,
  { name, version, bytes }: Archive,
  config: Buffer,
): Promise<void> {
  const base = `${origin}/v2/${namespace}/${name}`;
  const send = async (method: string, url: string, body: Buffer | undefined, type: string): Promise<Response> => {
    const headers = { Authorization: authorization, 'Content-Type': type };
    const answer = await fetch(url, { method, headers, ...(body && { body: new Uint8Array(body) }) });
    await answer.arrayBuffer();
    if (answer.status >= 300) throw new Error(`${method} ${url} answered ${answer.status}`);
    return answer;
  };
  const descriptors = [];
  for (const [mediaType, blob] of [[CONFIG_TYPE, config] as const, [ARCHIVE_TYPE, bytes] as const]) {
    const digest = `sha256:${createHash('sha256').update(blob).digest('hex')}`;
    const upload = await send('POST', `${base}/blobs/uploads/`, undefined, 'application/octet-stream');
    const place = new URL(upload.headers.get('location') ?? '', base);
    place.searchParams.set('digest', digest);
    await send('PUT', place.href, blob, 'application/octet-stream');
    descriptors.push({ mediaType, digest, size: blob.length });
  }
  const [described, layer] = descriptors;
  const manifest = { schemaVersion: 2, mediaType: MANIFEST_TYPE, config: described, layers: [layer] };
  await send('PUT', `${base}/manifests/${version}`, Buffer.from(JSON.stringify(manifest)), MANIFEST_TYPE);
}
