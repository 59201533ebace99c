/** The S3 fake in a process of its own, so that its memory is not taken for the server's. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface FakeStore {
  /** Settings that make a hub keep its bytes there. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function startFakeStore(): Promise<FakeStore> {
  const child = fork(fileURLToPath(new URL('fake-store-process.ts', import.meta.url)));
  const [env] = (await once(child, 'message')) as [Record<string, string>];
  return {
    env,
    async stop() {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    },
  };
}
