/** What the tests of this folder say to the API. */
import type { TestHub } from '../harness/hub.ts';
import { expectStatus, index, type Answer, type Manifest, type Repo } from '../harness/oci-client.ts';

/** A manifest that nobody else has. */
export const other = (): Manifest => index([], { extra: { annotations: { nonce: String(Math.random()) } } });

export const projectOf = (repo: { readonly name: string }): string => repo.name.split('/')[0] as string;

export interface Move {
  readonly tag: string;
  readonly before?: { readonly digest: string; readonly state: string };
  readonly after?: { readonly digest: string; readonly state: string };
  readonly actor?: string;
}

export interface Trashed {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly repository: string;
  readonly [more: string]: unknown;
}

export function timeMachine(hub: TestHub, repo: Repo) {
  const project = `/projects/${projectOf(repo)}`;
  const post = (path: string, body: object): Promise<Answer> =>
    hub.api('POST', `${project}${path}`, { repository: repo.name, ...body });
  return {
    async history(tag?: string): Promise<Move[]> {
      const query = tag === undefined ? '' : `&tag=${tag}`;
      const answer = await hub.api('GET', `${project}/tags/history?repository=${repo.name}${query}`);
      return expectStatus(answer, 200).json<{ items: Move[] }>().items;
    },
    async trash(): Promise<Trashed[]> {
      const answer = await hub.api('GET', `${project}/trash?repository=${repo.name}`);
      return expectStatus(answer, 200).json<{ items: Trashed[] }>().items;
    },
    restoreTag: (tag: string, digest: string) => post('/restore', { tag, digest }),
    restore: (body: object) => post('/trash/restore', body),
    purge: (body: object = {}) => post('/trash/purge', body),
    preview: (body: object) => post('/delete-preview', body),
    deleteRepository: () => hub.api('DELETE', `${project}/repositories?repository=${repo.name}`),
  };
}

/** Entries of the project's trail; they come once no transaction is open that began before them, so tests poll. */
export async function trail(hub: TestHub, project: string, action: string): Promise<string[]> {
  const answer = await hub.api('GET', `/projects/${project}/audit?action=${action}`);
  return expectStatus(answer, 200)
    .json<{ items: { action: string }[] }>()
    .items.map((entry) => entry.action);
}
