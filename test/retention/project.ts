/** What tests of retention do with a project, over HTTP; and time, which only the database can move. */
import sql from 'sql-template-tag';
import { expect } from 'vitest';
import { workOnRun } from '../../src/registry/retention/run.ts';
import type { TestHub } from '../harness/hub.ts';
import type { Repo } from '../harness/oci-client.ts';

export interface Decision {
  readonly repository: string;
  readonly kind: 'tag' | 'manifest';
  readonly name?: string;
  readonly digest?: string;
  readonly decision: 'deleted' | 'kept' | 'skipped' | 'restored';
  readonly reason: string;
}

export interface Totals {
  readonly tags_deleted: number;
  readonly tags_kept: number;
  readonly manifests_deleted: number;
  readonly manifests_kept: number;
  readonly bytes: number;
  readonly too_large?: readonly string[];
}

export interface PreviewPage {
  readonly totals?: Totals;
  readonly items: readonly Decision[];
  readonly next_cursor?: string;
}

export interface Run extends Totals {
  readonly id: string;
  readonly state: string;
  readonly skipped: number;
  readonly restored: number;
  readonly error?: string;
}

export const projectOf = (repo: Repo): string => repo.name.split('/')[0]!;

export function retentionOf(hub: TestHub) {
  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await hub.api(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString()}`);
    return answer.json() as T;
  }

  return {
    /** Everything was pushed, moved and pulled so many days earlier than it was, and no lease runs any more. */
    async age(days: number): Promise<void> {
      await hub.context.registry.pulls.flush();
      await hub.db.query(sql`
        update manifests set leased_until = now(), created_at = created_at - make_interval(days => ${days})`);
      await hub.db.query(sql`update tags set updated_at = updated_at - make_interval(days => ${days})`);
      await hub.db.query(sql`update tag_history set at = at - make_interval(days => ${days})`);
      await hub.db.query(
        sql`update manifest_pulls set last_pulled_at = last_pulled_at - make_interval(days => ${days})`,
      );
      await hub.db.query(sql`update tag_pulls set last_pulled_at = last_pulled_at - make_interval(days => ${days})`);
      await hub.db.query(sql`update pull_tracking set since = since - make_interval(days => ${days})`);
    },
    preview: (repo: Repo, rules: readonly object[], show = 'all', query = '?limit=1000') =>
      call<PreviewPage>('POST', `/projects/${projectOf(repo)}/retention/preview${query}`, { rules, show }),
    set: (repo: Repo, rules: readonly object[], more: object = {}) =>
      call<object>('PUT', `/projects/${projectOf(repo)}/retention`, { rules, ...more }),
    start: (repo: Repo) => call<Run>('POST', `/projects/${projectOf(repo)}/retention/runs`),
    runOf: (repo: Repo, id: string) => call<Run>('GET', `/projects/${projectOf(repo)}/retention/runs/${id}`),
    undo: (repo: Repo, id: string) => call<Run>('POST', `/projects/${projectOf(repo)}/retention/runs/${id}/undo`),
    /** The part of the job. */
    work: (id: string) => workOnRun(hub.context.registry, Number(id)),
    async decisions(repo: Repo, id: string): Promise<readonly Decision[]> {
      const path = `/projects/${projectOf(repo)}/retention/runs/${id}/decisions?limit=1000`;
      return (await call<{ items: readonly Decision[] }>('GET', path)).items;
    },
  };
}

/** A decision on the tag, or on the manifest with the digest. */
export function decisionOn(decisions: readonly Decision[], what: string): Decision {
  const found = decisions.find(({ kind, name, digest }) => (kind === 'tag' ? name === what : digest === what));
  expect(found, `a decision on ${what}`).toBeDefined();
  return found!;
}
