/** What the bench and its load generator, a process of its own, say to each other. */
import type { Credentials } from '../wire/token.ts';

/** A server under test, as the generator sees it. */
export interface Target {
  readonly name: string;
  readonly origin: string;
  readonly credentials?: Credentials;
  /** Processes whose trees are the server. */
  readonly pids: readonly number[];
}

export interface Scale {
  /** Seconds of a measured window. */
  readonly seconds: number;
  /** Bytes of the blob of `blob-get-1g`. */
  readonly largeBlob: number;
  /** Tags of the repository of the tag workloads. */
  readonly tags: number;
  /** Pushes of 256 MiB in a round. */
  readonly pushes: number;
}

export interface RoundResult {
  readonly operations: number;
  readonly seconds: number;
  readonly bytes: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Of all processes of the server, within the measured time. */
  readonly serverCpuSeconds: number;
  readonly generatorCpuSeconds: number;
  /** What the reader of the table should know, such as an answer that ignores a parameter. */
  readonly remark?: string;
}

export type Command =
  | { readonly kind: 'seed'; readonly target: Target; readonly scale: Scale }
  | { readonly kind: 'round'; readonly target: Target; readonly scale: Scale; readonly workload: string };

export type Reply =
  | { readonly ok: true; readonly result: RoundResult | undefined }
  | { readonly ok: false; readonly error: string };
