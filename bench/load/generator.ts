/** The load generator: a process of its own, told by the bench what to do, one command at a time. */
import { Connection } from '../wire/connection.ts';
import { verify, type Session } from '../wire/registry.ts';
import { TokenSource } from '../wire/token.ts';
import { measure } from './closed-loop.ts';
import { makeDataset, REPOSITORIES, seed, spread, type Dataset } from './dataset.ts';
import type { Command, Reply, RoundResult, Target } from './protocol.ts';
import { WORKLOADS, type Round, type Workload } from './workloads.ts';

/** Objects of one round that are pulled back: all of them up to this number, else so many spread over the round. */
const LARGEST_SAMPLE = 200;

const tokens = new Map<string, TokenSource>();
let dataset: Dataset | undefined;

async function sessionOf(target: Target): Promise<Session> {
  let source = tokens.get(target.origin);
  if (source === undefined) tokens.set(target.origin, (source = new TokenSource(target.origin, target.credentials)));
  const scopes = Object.values(REPOSITORIES).map((name) => `repository:${name}:pull,push`);
  return { origin: target.origin, authorization: await source.authorization(scopes) };
}

async function runRound(command: Command & { kind: 'round' }, data: Dataset): Promise<RoundResult> {
  const workload = WORKLOADS.find(({ id }) => id === command.workload);
  if (workload === undefined) throw new Error(`There is no workload ${command.workload}`);
  const session = await sessionOf(command.target);
  const connections = Array.from(
    { length: workload.connections },
    () => new Connection(session.origin, workload.receiveBuffer),
  );
  const round: Round = { session, dataset: data, connections, pushed: [] };
  try {
    const measured = await measure(
      connections,
      workload.operation(round),
      workload.extent(command.scale),
      command.target.pids,
    );
    await verifySample(round);
    const remark = await workload.remark?.(round);
    return {
      ...measured,
      bytes: bytesOf(workload, measured),
      ...(remark === undefined ? {} : { remark }),
    };
  } finally {
    for (const connection of connections) connection.close();
  }
}

function bytesOf(workload: Workload, measured: RoundResult): number {
  return workload.sends === undefined ? measured.bytes : workload.sends * measured.operations;
}

async function verifySample({ session, connections, pushed }: Round): Promise<void> {
  const step = Math.max(1, Math.ceil(pushed.length / LARGEST_SAMPLE));
  const sample = pushed.filter((_, index) => index % step === 0);
  await spread(connections, sample, (lane, { path, digest }) => verify(lane, session, path, digest));
}

async function obey(command: Command): Promise<RoundResult | undefined> {
  dataset ??= makeDataset(command.scale);
  if (command.kind === 'round') return runRound(command, dataset);
  await seed(await sessionOf(command.target), dataset);
  return undefined;
}

process.on('message', (command: Command) => {
  obey(command).then(
    (result) => process.send!({ ok: true, result } satisfies Reply),
    (error: Error) => process.send!({ ok: false, error: error.stack ?? error.message } satisfies Reply),
  );
});
