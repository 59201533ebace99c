/**
 * Judges a hub by the OCI distribution specification's own conformance suites, and keeps their reports.
 * The hub is the one that BERTH_TEST_URL names, else one is started (on S3 where BERTH_TEST_S3_ENDPOINT is set).
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { run, whereIs } from '../acceptance/command.ts';
import { openTarget, type Target } from '../acceptance/target.ts';
import { readTally, type Tally } from './reports.ts';
import { project, type Suite, suites } from './suites.ts';

const folder = resolve('reports/conformance', process.env.BERTH_TEST_S3_ENDPOINT ? 's3' : 'disk');

async function judge(hub: Target, suite: Suite): Promise<Tally> {
  const reports = join(folder, suite.name);
  await mkdir(reports, { recursive: true });
  // The counts decide, not the exit code: it is 0 where a capability was skipped. And the folder is new, since the
  // program reads a configuration file that happens to lie where it is started.
  const log = await run(suite.program, [], { cwd: reports, env: suite.environment(hub, reports) }).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: Error) => error.message,
  );
  await writeFile(join(reports, 'log.txt'), log);
  try {
    return await readTally(reports);
  } catch (cause) {
    throw new Error(`${suite.program} wrote no report:\n${log}`, { cause });
  }
}

/** Other registries have no projects to prepare; there the sparse cases show what they make of them. */
async function prepareProject(hub: Target): Promise<void> {
  const call = async (method: string, path: string, body: unknown): Promise<void> => {
    const credentials = Buffer.from(`${hub.user}:${hub.password}`).toString('base64');
    const answer = await fetch(`${hub.url}/api/v1/${path}`, {
      method,
      headers: { authorization: `Basic ${credentials}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const exists = answer.status === 409;
    const isOtherRegistry = answer.status === 404 && process.env.BERTH_TEST_URL !== undefined;
    if (!answer.ok && !exists && !isOtherRegistry) {
      throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    }
  };
  await call('POST', 'projects', { name: project, visibility: 'private' });
  await call('PATCH', `projects/${project}`, { allow_sparse: true });
}

async function print(suite: Suite, tally: Tally): Promise<void> {
  const { passed, failed, skipped, disabled, complaints } = tally;
  const verdict = suite.passes(tally) ? 'pass' : 'FAIL';
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped, ${disabled} disabled`;
  console.log(`conformance ${suite.name} (${await versionOf(suite.program)}): ${verdict}, ${counts}`);
  if (verdict === 'FAIL') for (const complaint of complaints.slice(0, 50)) console.log(`  ${complaint}`);
}

/** What the program was built from, as the script that built it noted beside it. */
async function versionOf(program: string): Promise<string> {
  return (await readFile(`${whereIs(program)}.version`, 'utf8').catch(() => 'of unknown version')).trim();
}

const { stop, ...hub } = await openTarget();
try {
  await rm(folder, { recursive: true, force: true });
  await prepareProject(hub);
  const tallies: Tally[] = [];
  for (const suite of suites) {
    const tally = await judge(hub, suite);
    await print(suite, tally);
    tallies.push(tally);
    if (!suite.passes(tally)) process.exitCode = 1;
  }
  const total = (key: 'passed' | 'failed' | 'skipped') => tallies.reduce((sum, tally) => sum + tally[key], 0);
  console.log(`${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`);
} finally {
  await stop();
}
