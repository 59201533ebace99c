/** A chart repository under test: where its index is, how a chart gets into it, and when it shows. */
import { createHash } from 'node:crypto';
import type { Side } from '../sides/side.ts';
import { chartConfig, MANIFEST_TYPE, pushChart } from './push.ts';
import { chartArchive } from './content.ts';

export interface Repository {
  readonly side: Side;
  /** What `helm repo add` is given. */
  readonly url: string;
  readonly authorization: string | undefined;
  /** The namespace behind /v2, where there is one. */
  readonly oci?: { readonly origin: string; readonly namespace: string };
}

export type Door = 'classic' | 'oci';

/** Milliseconds from the first byte of an upload until the index, and the registry where there is one, has it. */
export async function uploadAndWait(repository: Repository, door: Door, version: string): Promise<number> {
  const { url, authorization, oci } = repository;
  const headers = authorization === undefined ? undefined : { Authorization: authorization };
  const archive = await chartArchive('fresh', version);
  const digest = createHash('sha256').update(archive.bytes).digest('hex');
  const begin = performance.now();
  if (door === 'oci') {
    await pushChart(oci!, authorization!, archive, chartConfig(archive));
  } else {
    const answer = await fetch(`${url}/api/charts`, {
      method: 'POST',
      body: new Uint8Array(archive.bytes),
      ...(headers && { headers }),
    });
    if (answer.status !== 201) throw new Error(`An upload answered ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
  }
  for (;;) {
    const index = await fetch(`${url}/index.yaml`, { ...(headers && { headers }) });
    if ((await index.text()).includes(digest)) break;
    if (performance.now() - begin > 60_000) throw new Error('An upload did not show within a minute');
  }
  if (oci !== undefined) {
    const manifest = await fetch(`${oci.origin}/v2/${oci.namespace}/fresh/manifests/${version}`, {
      headers: { ...headers, Accept: MANIFEST_TYPE },
    });
    if (!(await manifest.text()).includes(digest)) throw new Error('The registry does not have what the index lists');
  }
  return performance.now() - begin;
}
