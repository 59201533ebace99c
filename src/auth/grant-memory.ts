/** Grants by principal and project, remembered as long as neither's epoch has moved. */
import { counted } from '../cache/counted.ts';
import type { Database } from '../db/database.ts';
import { selectGrants } from './queries/grants.ts';
import type { Role } from './roles.ts';
import type { Grant } from './rules.ts';

export interface GrantMemory {
  /**
   * @param principalId 0 for anonymous
   * @param stamp the epochs of principal and project that the request's facts carry
   */
  of(principalId: number, projectId: number, stamp: string): Promise<readonly Grant[]> | readonly Grant[];
}

export function createGrantMemory(db: Database, now: () => number): GrantMemory {
  const remembered = counted<string, { stamp: string; grants: readonly Grant[] }>(20_000);
  const loading = new Map<string, Promise<readonly Grant[]>>();

  async function load(key: string, principalId: number, projectId: number, stamp: string): Promise<readonly Grant[]> {
    const at = now();
    const grants = (await selectGrants(db, projectId, principalId)).map((row): Grant => ({
      id: row.id,
      subject: row.subject,
      pathGlob: row.pathGlob,
      role: row.role as Role,
      tagGlob: row.tagGlob,
      createOnly: row.createOnly,
      until: row.expiresInMs === null ? Infinity : at + row.expiresInMs,
    }));
    remembered.set(key, { stamp, grants });
    return grants;
  }

  return {
    of(principalId, projectId, stamp) {
      const key = `${principalId} ${projectId}`;
      const known = remembered.get(key);
      if (known?.stamp === stamp) return known.grants;
      // The stamp is part of the key: a load that began under older epochs must not answer for newer ones.
      const flight = `${key} ${stamp}`;
      let load_ = loading.get(flight);
      if (load_ === undefined) {
        load_ = load(key, principalId, projectId, stamp).finally(() => loading.delete(flight));
        loading.set(flight, load_);
      }
      return load_;
    },
  };
}
