/** Who refers to a manifest (distribution-spec, "Listing Referrers"). */
import { digestFromBytes, digestToBytes, parseDigest, type Digest } from '../blobs/digest.ts';
import { findManifest } from './manifests.ts';
import { OCI_INDEX } from './manifest.ts';
import type { Tag } from './names.ts';
import { selectReferrers, type ReferrerRow } from './queries/manifests.ts';
import type { Registry } from './registry.ts';
import type { Repository } from './repositories.ts';

const MAX_ENTRIES = 500;
/** Clients refuse an index beyond 4 MiB; a page ends well before, whatever the annotations. */
const MAX_BYTES = 3 * 1024 * 1024;

export interface ReferrersPage {
  /** An image index, serialised. */
  readonly body: string;
  /** Cursor for the next page. */
  readonly next: number | undefined;
}

/**
 * A page of descriptors of everything whose `subject` is `digest`, oldest first, after the cursor. An unknown subject has an
 * empty list. A fallback tag that clients of older registries left (`sha256-<hex>`) is merged into the last page.
 */
export async function listReferrers(
  registry: Registry,
  repository: Repository | undefined,
  digest: Digest,
  options: { artifactTypes: readonly string[]; after: number; fallback: Digest | undefined },
): Promise<ReferrersPage> {
  const entries: string[] = [];
  let next: number | undefined;
  if (repository) {
    const rows = await selectReferrers(registry.db, repository.id, digestToBytes(digest), {
      artifactTypes: options.artifactTypes.length > 0 ? options.artifactTypes : null,
      after: options.after,
      limit: MAX_ENTRIES + 1,
    });
    let bytes = 0;
    for (const [i, row] of rows.entries()) {
      const entry = JSON.stringify(describe(row));
      bytes += Buffer.byteLength(entry);
      if (i === MAX_ENTRIES || (i > 0 && bytes > MAX_BYTES)) {
        next = (rows[i - 1] as ReferrerRow).id;
        break;
      }
      entries.push(entry);
    }
    if (next === undefined && options.fallback) {
      entries.push(...(await fallbackEntries(registry, repository, digest, options)));
    }
  }
  return {
    body: `{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[${entries.join(',')}]}`,
    next,
  };
}

/** The tag under which clients keep referrers where a registry has no list of its own. */
export function fallbackTag(digest: Digest): Tag {
  return digest.replace(':', '-').slice(0, 128) as Tag;
}

function describe(row: ReferrerRow): Record<string, unknown> {
  return {
    mediaType: row.media_type,
    digest: digestFromBytes(row.digest),
    size: row.size,
    ...(row.artifact_type !== null && { artifactType: row.artifact_type }),
    ...(row.annotations !== null && { annotations: row.annotations }),
  };
}

/** Entries of the fallback tag's index that the list does not have anyway. */
async function fallbackEntries(
  registry: Registry,
  repository: Repository,
  subject: Digest,
  options: { artifactTypes: readonly string[]; fallback: Digest | undefined },
): Promise<string[]> {
  const index = await findManifest(registry, repository, options.fallback as Digest);
  if (index?.mediaType !== OCI_INDEX) return [];
  const { manifests } = JSON.parse(index.payload.toString()) as { manifests: Record<string, unknown>[] };
  const listed = new Set<string>();
  for (let after = 0; ;) {
    const rows = await selectReferrers(registry.db, repository.id, digestToBytes(subject), {
      artifactTypes: null,
      after,
      limit: 1_000,
    });
    for (const row of rows) listed.add(digestFromBytes(row.digest));
    if (rows.length < 1_000) break;
    after = (rows.at(-1) as ReferrerRow).id;
  }
  const extra: string[] = [];
  for (const entry of manifests) {
    const digest = parseDigest(String(entry['digest']));
    if (!digest || listed.has(digest)) continue;
    const type = entry['artifactType'];
    if (options.artifactTypes.length > 0 && !options.artifactTypes.includes(String(type))) continue;
    if (await findManifest(registry, repository, digest)) extra.push(JSON.stringify(entry));
  }
  return extra;
}
