/** The bench's handle on a collector in a process of its own, whose memory is its own too. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface CollectorTask {
  readonly url: string;
  /** Whether it notes the plan of each statement; costs time. */
  readonly explain: boolean;
  /** As jobs do: pauses between batches, as a part of their time. */
  readonly pace: number;
}

export interface Plan {
  readonly statement: string;
  readonly plan: readonly string[];
}

export interface CollectorResult {
  readonly seconds: number;
  readonly report: {
    readonly manifests: number;
    readonly links: number;
    readonly blobs: number;
    readonly bytes: number;
    readonly objects: number;
  };
  /** Objects that the store was told to delete. */
  readonly deleted: number;
  /** Bytes. */
  readonly memoryBefore: number;
  readonly memoryPeak: number;
  readonly cpuSeconds: number;
  readonly plans: readonly Plan[];
}

/** What the workers of a hub run with; see src/process/serve.ts. */
const WORKER_FLAGS = ['--max-semi-space-size=2', '--initial-old-space-size=16', '--heap-growing-percent=20'];

/** Runs until nothing is due. */
export function collectInProcess(task: CollectorTask): Promise<CollectorResult> {
  const child: ChildProcess = fork(fileURLToPath(new URL('collector-process.ts', import.meta.url)), {
    execArgv: WORKER_FLAGS,
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The collector ended with ${code}`)));
    child.once('message', (result: CollectorResult) => {
      child.removeAllListeners('exit');
      resolve(result);
    });
    child.send(task);
  });
}
