import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Target } from '../target.ts';
import type { Workspace } from '../workspace.ts';
import { type Client, loginBy, runner } from './client.ts';

export interface Oras extends Client {
  /** Pushes files of a folder as one artifact and answers the digest of its manifest. */
  push(reference: string, folder: string, files: readonly string[], ...flags: string[]): Promise<string>;
}

export async function makeOras(workspace: Workspace): Promise<Oras> {
  const options = { env: { DOCKER_CONFIG: await workspace.folder('oras') } };
  return {
    run: runner('oras', [], options),
    login: loginBy('oras', [], options, ['--plain-http']),
    async push(reference, folder, files, ...flags) {
      // oras records each path as it is given, and refuses absolute ones.
      const oras = runner('oras', [], { ...options, cwd: folder });
      const printed = await oras('push', '--plain-http', '--format=json', ...flags, reference, ...files);
      return (JSON.parse(printed) as { digest: string }).digest;
    },
  };
}

/** Pushes something small to sign or to point at, tagged `1`. */
export async function pushSample(oras: Oras, hub: Target, repository: string, folder: string): Promise<Sample> {
  const name = `${repository.replaceAll('/', '-')}.txt`;
  await writeFile(join(folder, name), repository);
  const digest = await oras.push(`${hub.host}/${repository}:1`, folder, [name]);
  return { digest, reference: `${hub.host}/${repository}@${digest}` };
}

export interface Sample {
  digest: string;
  reference: string;
}
