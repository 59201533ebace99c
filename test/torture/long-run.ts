/** Clients that push to a hub that stays up while something under it fails, and the account of it afterwards. */
import { join } from 'node:path';
import { findEmbeddedPostgres } from '../../src/db/embedded.ts';
import type { HubProcess } from '../harness/hub-process.ts';
import { OciClient } from '../harness/oci-client.ts';
import { Gate } from './gate.ts';
import type { Entry } from './journal.ts';
import { afterSweep, invented, unowned, withDatabase } from './owners.ts';
import { pushWithoutEnd, type PusherOptions } from './pusher.ts';
import { Random } from './random.ts';
import { verify } from './verify.ts';

export interface LongRun {
  readonly entries: readonly Entry[];
  readonly problems: string[];
  /** Pushes that were acknowledged as a whole. */
  pushes(): number;
  /** Resolves when so many more pushes were acknowledged. @throws after a minute */
  more(pushes: number): Promise<void>;
  /** Lets the clients finish what they do, and says all that is wrong. */
  finish(keys: () => Promise<readonly string[]>): Promise<string[]>;
}

export function pushThrough(hub: HubProcess, seed: number, clients = 4): LongRun {
  const credentials = { username: 'admin', password: hub.adminPassword };
  const entries: Entry[] = [];
  const problems: string[] = [];
  const gate = new Gate(clients);
  const end = new AbortController();
  const pool: PusherOptions['pool'] = [];
  let pushes = 0;
  let waiting: { readonly at: number; readonly resolve: () => void }[] = [];
  gate.open();
  const pushers = Array.from({ length: clients }, (_, at) =>
    pushWithoutEnd({
      client: new OciClient({ origin: hub.url, credentials }),
      repo: `torture/c${at}`,
      random: new Random(seed + 1 + at),
      gate,
      signal: end.signal,
      alwaysAnswered: true,
      pool,
      note: (entry) => entries.push(entry),
      complain: (problem) => problems.push(problem),
      pushed: () => {
        pushes++;
        for (const one of waiting) if (one.at <= pushes) one.resolve();
        waiting = waiting.filter((one) => one.at > pushes);
      },
    }),
  );
  return {
    entries,
    problems,
    pushes: () => pushes,
    async more(wanted) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.push({ at: pushes + wanted, resolve });
      const timer = setTimeout(
        () => reject(new Error(`no ${wanted} pushes in a minute; ${problems.slice(0, 5).join('; ')}`)),
        60_000,
      );
      await promise.finally(() => clearTimeout(timer));
    },
    async finish(keys) {
      end.abort();
      await Promise.all(pushers);
      problems.push(...(await verify(new OciClient({ origin: hub.url, credentials }), entries)));
      const url = await findEmbeddedPostgres(join(hub.dataDir, 'postgres'));
      if (url === undefined) throw new Error('no Postgres runs');
      await withDatabase(url, async (query) => {
        problems.push(...(await invented(query, entries)), ...(await unowned(query, await keys())));
        if (problems.length === 0) problems.push(...(await afterSweep(query, keys)));
      });
      return problems;
    },
  };
}
