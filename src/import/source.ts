/** Where charts come from. */
import type { Credentials } from './transfer.ts';
import { folderSource } from './folder-source.ts';
import { indexSource } from './index-source.ts';

/** A chart that is there to be taken over. */
export interface Candidate {
  /** What people know it by: a path below the folder, or a URL. */
  readonly label: string;
  /** Below the namespace that is imported to; empty for its own charts. */
  readonly subfolder: string;
  /** What the source says about it, which is not to be trusted. */
  readonly claim: { readonly file: string; readonly sha256: string | undefined } | undefined;
  archive(): Promise<Buffer<ArrayBuffer>>;
  /** Undefined when there is none. */
  provenance(): Promise<Buffer<ArrayBuffer> | undefined>;
}

export interface Source {
  readonly candidates: readonly Candidate[];
  /** What looked like a chart and cannot be taken over, each with its reason. */
  readonly unusable: readonly string[];
}

/** @throws {TransferFailed} when the source cannot be read at all */
export async function openSource(from: string, credentials: Credentials | undefined): Promise<Source> {
  return /^https?:\/\//i.test(from) ? indexSource(new URL(from), credentials) : folderSource(from);
}
