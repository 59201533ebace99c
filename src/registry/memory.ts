/**
 * What a worker remembers between requests: immutable bytes, and rows stamped with the repository's epoch. An entry whose
 * stamp is not the epoch that the request's own scene carries counts as unknown, so a delete on any replica is seen by the
 * next request on every replica, without messages between them.
 */
import { LRUCache } from 'lru-cache';
import type { Digest } from '../blobs/digest.ts';
import { counted } from '../cache/counted.ts';

export interface BlobFacts {
  readonly blobId: number;
  readonly size: number;
  readonly key: string;
  /** performance.now() from which less than half of the lease is left, so that an answer has to renew it (P4). */
  readonly renewAfter: number;
}

export interface ManifestFacts {
  readonly id: number;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly payload: Buffer;
  /** As for blobs; changed in place, since others remember the object for what is in it. */
  readonly lease: { renewAfter: number };
}

interface Stamped<T> {
  readonly epoch: number;
  readonly value: T;
}

export interface Memory {
  readonly blobs: StampedCache<BlobFacts>;
  readonly manifests: StampedCache<ManifestFacts>;
  /** Whole contents of small blobs by store key; keys are never reused, so nothing here goes stale. */
  readonly smallBlobs: LRUCache<string, Buffer>;
}

export interface StampedCache<T> {
  get(repositoryId: number, digest: Digest, epoch: number): T | undefined;
  set(repositoryId: number, digest: Digest, epoch: number, value: T): void;
}

/** Blobs up to this size are kept whole. */
export const SMALL_BLOB = 64 * 1024;

export function createMemory(bytes = 24 * 1024 * 1024): Memory {
  return {
    blobs: stamped(counted<string, Stamped<BlobFacts>>(20_000)),
    manifests: stamped(
      new LRUCache<string, Stamped<ManifestFacts>>({
        maxSize: bytes,
        sizeCalculation: (entry) => entry.value.payload.length + 500,
      }),
    ),
    smallBlobs: new LRUCache<string, Buffer>({ maxSize: bytes, sizeCalculation: (content) => content.length + 200 }),
  };
}

function stamped<T extends object>(cache: LRUCache<string, Stamped<T>>): StampedCache<T> {
  return {
    get(repositoryId, digest, epoch) {
      const entry = cache.get(`${repositoryId} ${digest}`);
      return entry?.epoch === epoch ? entry.value : undefined;
    },
    set(repositoryId, digest, epoch, value) {
      cache.set(`${repositoryId} ${digest}`, { epoch, value });
    },
  };
}
