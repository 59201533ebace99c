/** A hub, and the counters of its projects beside what its rows say. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { TestHub } from '../harness/hub.ts';
import { expectStatus, type Answer } from '../harness/oci-client.ts';

export interface Quota {
  readonly max_bytes: number | null;
  readonly max_artifacts: number | null;
  readonly used_bytes: number;
  readonly reserved_bytes: number;
  readonly artifacts: number;
  readonly trash_bytes: number;
  readonly trash_artifacts: number;
}

export interface NoRoom {
  readonly max_bytes: number;
  readonly used: number;
  readonly reserved: number;
  readonly needed: number;
}

export async function quotaOf(hub: TestHub, project: string): Promise<Quota> {
  return expectStatus(await hub.api('GET', `/projects/${project}/quota`), 200).json<Quota>();
}

export async function limit(
  hub: TestHub,
  project: string,
  limits: { max_bytes?: number | null; max_artifacts?: number | null },
): Promise<Quota> {
  const body = { max_bytes: null, max_artifacts: null, ...limits };
  return expectStatus(await hub.api('PUT', `/projects/${project}/quota`, body), 200).json<Quota>();
}

/** A new project with a limit; returns its name. */
export async function limited(hub: TestHub, limits: Parameters<typeof limit>[2]): Promise<string> {
  const project = await hub.project();
  await limit(hub, project, limits);
  return project;
}

/** What the rows say, counted here in other words than the hub's. */
export async function countedByHand(hub: TestHub, project: string) {
  const { rows } = await hub.db.pool.query<{ used_bytes: number; artifacts: number; reserved_bytes: number }>(
    `with mine as (select r.id from repositories r join projects p on p.id = r.project_id where p.name = $1)
     select (select coalesce(sum(size), 0) from blobs
              where id in (select blob_id from repository_blobs where repository_id in (select id from mine)))::float8
          + (select coalesce(sum(length(payload)), 0) from manifest_payloads
              where manifest_id in (select id from manifests where repository_id in (select id from mine)))::float8
              as used_bytes,
            (select count(*) from manifests where repository_id in (select id from mine))::int as artifacts,
            (select coalesce(sum(reserved), 0) from uploads where repository_id in (select id from mine))::float8
              as reserved_bytes`,
    [project],
  );
  return rows[0]!;
}

/** Counters equal rows, and the hub's own recount finds nothing to correct. */
export async function expectExact(hub: TestHub, project: string): Promise<Quota> {
  const quota = await quotaOf(hub, project);
  expect(quota).toMatchObject(await countedByHand(hub, project));
  const answer = expectStatus(await hub.api('POST', `/projects/${project}/quota/recount`), 200);
  expect(answer.json()).toMatchObject({ corrected: false });
  return quota;
}

/** The numbers of a refusal, which say themselves that there was no room. */
export function expectRefused(answer: Answer): NoRoom {
  expect(answer.status, answer.body.toString('utf8', 0, 300)).toBe(403);
  const [error] = answer.json<{ errors: { code: string; message: string; detail: NoRoom }[] }>().errors;
  expect(error?.code).toBe('DENIED');
  const { max_bytes, used, reserved, needed } = error!.detail;
  expect(used + reserved + needed, 'refused for want of room').toBeGreaterThan(max_bytes);
  return error!.detail;
}

/** A body of which nobody knows beforehand how long it is. */
export function streamed(bytes: Buffer, piece = 16_384): () => Iterable<Buffer> {
  return function* () {
    for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
  };
}

export const noise = (size: number): Buffer => randomBytes(size);
