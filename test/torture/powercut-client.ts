/**
 * What powercut.sh runs beside the hub:
 *   push URL JOURNAL SEED            pushes until it is killed; says `enough` at a random moment
 *   verify URL JOURNAL DATA_FOLDER   compares a hub with the journal; its exit code is 1 when something is wrong
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findEmbeddedPostgres } from '../../src/db/embedded.ts';
import { keysOnDisk } from '../harness/leftovers.ts';
import { OciClient } from '../harness/oci-client.ts';
import { Gate } from './gate.ts';
import type { Entry } from './journal.ts';
import { invented, unowned, withDatabase } from './owners.ts';
import { pushWithoutEnd, type PusherOptions } from './pusher.ts';
import { Random } from './random.ts';
import { verify } from './verify.ts';

const CLIENTS = 8;
const credentials = { username: 'admin', password: process.env['BERTH_ADMIN_PASSWORD'] ?? '' };
const [mode, url = '', journal = '', last = ''] = process.argv.slice(2);

async function push(seed: number): Promise<void> {
  const random = new Random(seed);
  const gate = new Gate(CLIENTS);
  gate.open();
  const pool: PusherOptions['pool'] = [];
  let pushes = 0;
  const enough = Promise.withResolvers<void>();
  const wanted = 20 + random.below(40);
  const pushers = Array.from({ length: CLIENTS }, (_, at) =>
    pushWithoutEnd({
      client: new OciClient({ origin: url, credentials }),
      repo: `torture/c${at}`,
      random: new Random(seed + 1 + at),
      gate,
      signal: new AbortController().signal,
      pool,
      note: (entry) => appendFileSync(journal, `${JSON.stringify(entry)}\n`),
      complain: (problem) => appendFileSync(journal, `${JSON.stringify({ complaint: problem })}\n`),
      pushed: () => {
        if (++pushes === wanted) enough.resolve();
      },
    }),
  );
  await enough.promise;
  await delay(random.below(500));
  console.log(`enough: ${pushes} pushes`);
  await Promise.all(pushers);
}

async function check(dataDir: string): Promise<number> {
  const lines = readFileSync(journal, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry | { complaint: string });
  const entries = lines.filter((line): line is Entry => 'what' in line);
  const problems = lines.flatMap((line) => ('complaint' in line ? [line.complaint] : []));
  problems.push(...(await verify(new OciClient({ origin: url, credentials }), entries)));
  const database = await findEmbeddedPostgres(join(dataDir, 'postgres'));
  if (database === undefined) throw new Error(`no Postgres runs in ${dataDir}`);
  const keys = await keysOnDisk(dataDir);
  problems.push(
    ...(await withDatabase(database, async (query) => [
      ...(await invented(query, entries)),
      ...(await unowned(query, keys)),
    ])),
  );
  for (const problem of problems.slice(0, 20)) console.error(problem);
  const acknowledged = entries.filter((entry) => entry.state === 'acknowledged').length;
  console.log(`${acknowledged} acknowledgements checked, ${problems.length} problems`);
  return problems.length === 0 ? 0 : 1;
}

if (mode === 'push') await push(Number(last));
else if (mode === 'verify') process.exitCode = await check(last);
else throw new Error('push or verify');
// Connections that are kept open would keep the process, too.
process.exit();
