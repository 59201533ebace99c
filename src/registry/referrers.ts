/** Who refers to a manifest (distribution-spec, "Listing Referrers"). */
import { digestFromBytes, digestToBytes, type Digest } from '../blobs/digest.ts';
import { OCI_INDEX } from './manifest.ts';
import { selectReferrers, type ReferrerRow } from './queries/manifests.ts';
import type { Registry } from './registry.ts';
import type { Repository } from './repositories.ts';

const MAX_ENTRIES = 500;
/**
 * Clients refuse an index beyond 4 MiB. A descriptor repeats no more of its manifest than the annotations, so pages whose
 * manifests together stay below this end well before; one manifest alone may be larger.
 */
const MAX_BYTES = 3 * 1024 * 1024;

export interface ReferrersPage {
  /** An image index, serialised. */
  readonly body: string;
  /** Cursor for the next page. */
  readonly next: number | undefined;
}

/**
 * A page of descriptors of everything whose `subject` is `digest`, oldest first, after the cursor. An unknown subject has an
 * empty list. Every manifest's subject is kept from the day it is pushed, so what clients listed under a fallback tag
 * (`sha256-<hex>`) is here too, and such a tag needs no reading.
 */
export async function listReferrers(
  registry: Registry,
  repository: Repository | undefined,
  digest: Digest,
  options: { artifactTypes: readonly string[]; after: number },
): Promise<ReferrersPage> {
  const rows = repository
    ? await selectReferrers(registry.db, repository.id, digestToBytes(digest), {
        artifactTypes: options.artifactTypes.length > 0 ? options.artifactTypes : null,
        after: options.after,
        limit: MAX_ENTRIES,
        bytes: MAX_BYTES,
      })
    : [];
  const entries = rows.map((row) => JSON.stringify(describe(row)));
  return {
    body: `{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[${entries.join(',')}]}`,
    next: rows.at(-1)?.more ? rows.at(-1)?.id : undefined,
  };
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
