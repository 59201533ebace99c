/**
 * `npm run bench:memory`: what large and what many transfers add to the memory of the server. Exits with 1 above the
 * limits. Nothing is stored on the client: content is made and hashed on the fly.
 */
import { fork, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MemorySampler } from './measure/memory-sampler.ts';
import type { Step } from './memory/client.ts';
import { startFakeStore, type FakeStore } from './memory/fake-store.ts';
import { mib } from './report/table.ts';
import { startBerth } from './sides/berth.ts';
import { knownPeers } from './sides/peers.ts';
import type { Side } from './sides/side.ts';

const HELP = `npm run bench:memory -- [options]

  --large-mib N       size of the one large blob (10240)
  --large-limit N     MiB that pushing and pulling it may add (64)
  --clients N         pushes at once, and pulls at once (32)
  --blob-mib N        size of each of their blobs (64)
  --seconds N         time over which each of them is stretched, so that all overlap (10)
  --clients-limit N   MiB that they may add (256)
  --store disk|s3     where the server keeps bytes; s3 is a fake in a process of its own that keeps none (disk)
  --door oci|files    blobs of an image, or files by PUT and GET (oci)
  --server NAME       berth, or a registry to try the measurement on, such as docker-registry (berth)
  --folder DIR        where the scratch folder is made (/var/tmp)
`;

const MIB = 2 ** 20;
/** Longer than idle database connections are kept, so that memory at rest is that of an idle server. */
const AT_REST_MS = 15_000;

interface Measurement {
  readonly what: string;
  readonly before: number;
  readonly peak: number;
  readonly limit: number;
}

class Client {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('memory/client.ts', import.meta.url)));
  readonly #side: Side;
  readonly #door: string;

  constructor(side: Side, door: string) {
    this.#side = side;
    this.#door = door;
  }

  take(step: Step): Promise<void> {
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error('The client process ended'));
      this.#child.once('exit', gone);
      this.#child.once('message', ({ result, error }: { result?: string; error?: string }) => {
        this.#child.off('exit', gone);
        if (error !== undefined) return reject(new Error(error));
        process.stdout.write(`  ${result}\n`);
        resolve();
      });
      this.#child.send({ target: this.#side.target, door: this.#door, step });
    });
  }

  stop(): void {
    this.#child.kill();
  }
}

/** Memory before is that of a warm, idle server; everything the steps reach above it counts, kept or not. */
async function measure(
  what: string,
  before: number,
  limit: number,
  side: Side,
  steps: () => Promise<void>,
): Promise<Measurement> {
  const sampler = new MemorySampler(side.target.pids);
  sampler.start();
  await steps();
  const result = { what, before, peak: sampler.stop(), limit };
  const added = mib(result.peak - before);
  process.stdout.write(
    `${what}: ${mib(before)} before, ${mib(result.peak)} at most, adds ${added} (limit ${mib(limit)})\n`,
  );
  return result;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      'large-mib': { type: 'string', default: '10240' },
      'large-limit': { type: 'string', default: '64' },
      clients: { type: 'string', default: '32' },
      'blob-mib': { type: 'string', default: '64' },
      seconds: { type: 'string', default: '10' },
      'clients-limit': { type: 'string', default: '256' },
      store: { type: 'string', default: 'disk' },
      door: { type: 'string', default: 'oci' },
      server: { type: 'string', default: 'berth' },
      folder: { type: 'string', default: '/var/tmp' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const scratch = fs.mkdtempSync(path.join(values.folder, 'berth-memory-'));
  let store: FakeStore | undefined;
  let side: Side | undefined;
  let client: Client | undefined;
  try {
    if (values.store === 's3') store = await startFakeStore();
    side = await startServer(values.server, scratch, store?.env ?? {});
    client = new Client(side, values.door);
    const running = client;
    process.stdout.write(`${values.server} ${side.version}, store ${values.store}, door ${values.door}\n`);
    await running.take({ kind: 'warm-up' });
    await new Promise((resolve) => setTimeout(resolve, AT_REST_MS));
    const before = new MemorySampler(side.target.pids).sample();

    const large = Number(values['large-mib']) * MIB;
    const results = [
      await measure(`a blob of ${mib(large)}`, before, Number(values['large-limit']) * MIB, side, async () => {
        await running.take({ kind: 'push', size: large });
        await running.take({ kind: 'pull', size: large });
      }),
    ];
    const clients = Number(values.clients);
    const size = Number(values['blob-mib']) * MIB;
    const what = `${clients} pushes and ${clients} pulls of ${mib(size)} at once`;
    results.push(
      await measure(what, before, Number(values['clients-limit']) * MIB, side, async () => {
        await running.take({ kind: 'prepare', clients, size });
        await running.take({ kind: 'together', clients, size, seconds: Number(values.seconds) });
      }),
    );
    return results.every(({ peak, limit }) => peak - before <= limit) ? 0 : 1;
  } finally {
    client?.stop();
    await side?.stop();
    await store?.stop();
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

async function startServer(name: string, scratch: string, env: Readonly<Record<string, string>>): Promise<Side> {
  if (name === 'berth') return startBerth(scratch, env);
  const peer = knownPeers(process.env).find((candidate) => candidate.name === name);
  if (peer?.program === undefined) throw new Error(`${name}: ${peer?.missing ?? 'no such server'}`);
  return peer.start(peer.program, scratch);
}

process.exitCode = await main();
