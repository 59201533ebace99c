import type { Target } from './target.ts';

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  artifactType?: string;
  annotations?: Record<string, string>;
}

export interface Manifest {
  mediaType: string;
  manifests?: Descriptor[];
  layers?: Descriptor[];
  config?: Descriptor;
}

/** Reads `/v2/<repository>/<path>`: for what a client stored but has no command to show. */
export async function read<Body>(hub: Target, repository: string, path: string): Promise<Body> {
  const credentials = Buffer.from(`${hub.user}:${hub.password}`).toString('base64');
  const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json';
  const answer = await fetch(`${hub.url}/v2/${repository}/${path}`, {
    headers: { authorization: `Basic ${credentials}`, accept },
  });
  if (!answer.ok) throw new Error(`GET ${path} of ${repository}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Body;
}

export async function referrers(hub: Target, repository: string, digest: string): Promise<Descriptor[]> {
  const index = await read<Manifest>(hub, repository, `referrers/${digest}`);
  return index.manifests ?? [];
}
