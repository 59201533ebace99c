/** The client of the memory measurement: a process of its own, so that what it uses is not the server's. */
import type { Target } from '../load/protocol.ts';
import { TransferClient, type Door } from './transfer.ts';

export type Step =
  | { readonly kind: 'warm-up' }
  | { readonly kind: 'push'; readonly size: number }
  | { readonly kind: 'pull'; readonly size: number }
  | { readonly kind: 'prepare'; readonly clients: number; readonly size: number }
  | { readonly kind: 'together'; readonly clients: number; readonly size: number; readonly seconds: number };

const WARM_UP_BLOBS = 256;
const WARM_UP_LANES = 16;
const WARM_UP_SIZE = 16 * 1024;
const FULL_SPEED = { seconds: 0 };

let client: TransferClient | undefined;
let digests: string[] = [];
let serial = 0;

async function take(step: Step, to: TransferClient): Promise<string> {
  switch (step.kind) {
    case 'warm-up':
      await inLanes(WARM_UP_LANES, WARM_UP_BLOBS, async () => {
        await to.pull(await to.push(serial++, WARM_UP_SIZE, FULL_SPEED), WARM_UP_SIZE, FULL_SPEED);
      });
      return `${WARM_UP_BLOBS} small blobs pushed and pulled`;
    case 'push': {
      const from = performance.now();
      digests = [await to.push(serial++, step.size, FULL_SPEED)];
      return `pushed ${digests[0]} at ${rate(step.size, from)}`;
    }
    case 'pull': {
      const from = performance.now();
      await to.pull(digests[0]!, step.size, FULL_SPEED);
      return `pulled ${digests[0]} at ${rate(step.size, from)}`;
    }
    case 'prepare':
      digests = [];
      await inLanes(1, step.clients, async () => {
        digests.push(await to.push(serial++, step.size, FULL_SPEED));
      });
      return `${step.clients} blobs to pull are there`;
    case 'together': {
      to.mostActive = 0;
      const pace = { seconds: step.seconds };
      await Promise.all([
        ...digests.map((digest) => to.pull(digest, step.size, pace)),
        ...digests.map(() => to.push(serial++, step.size, pace)),
      ]);
      if (to.mostActive < 2 * step.clients) throw new Error(`Only ${to.mostActive} transfers were under way at once`);
      return `${to.mostActive} transfers under way at once`;
    }
  }
}

/** With making and hashing the bytes on this side, on the same cores: for comparing one change with another. */
function rate(bytes: number, from: number): string {
  return `${Math.round(bytes / 1_000 / (performance.now() - from))} MB/s`;
}

async function inLanes(lanes: number, count: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

process.on('message', ({ target, door, step }: { target: Target; door: Door; step: Step }) => {
  client ??= new TransferClient(target, door);
  take(step, client).then(
    (result) => process.send!({ result }),
    (error: Error) => process.send!({ error: error.stack ?? error.message }),
  );
});
