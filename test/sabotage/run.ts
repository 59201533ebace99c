/**
 * `npm run test:sabotage`: applies each mutation to a copy of the tree and runs the suites, of which one has to fail. Prints a table
 * for docs/evidence.md; exits with 1 when a mutation survived. Arguments: parts of names, to try only those; --quick.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Mutation } from './mutation.ts';
import { MUTATIONS } from './mutations.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PARTS = ['src', 'test', 'migrations', 'docs', 'bin', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const SUITES = ['test/auth', 'test/api', 'test/audit', 'test/matrix'];

/** Only the suite that is expected to notice. */
const quick = process.argv.includes('--quick');
const copy = mkdtempSync(join(tmpdir(), 'berth-sabotage-'));
for (const part of PARTS) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));

/** The first suite that fails, or undefined. */
function caughtBy(suites: readonly string[]): string | undefined {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const run = spawnSync(
    join(ROOT, 'node_modules/.bin/node'),
    [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--project',
      'main',
      '--maxWorkers',
      '1',
      '--bail',
      '1',
      '--reporter',
      'json',
      '--outputFile',
      report,
      ...suites,
    ],
    {
      cwd: copy,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      env: { ...process.env, NO_COLOR: '1', BERTH_MATRIX_EVERY: process.env['BERTH_MATRIX_EVERY'] ?? '7' },
    },
  );
  if (run.status === 0) return undefined;
  if (!existsSync(report)) throw new Error(run.stderr.slice(0, 2_000));
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { name: string; status: string; assertionResults: { status: string; fullName: string }[] }[];
  };
  const file = testResults.find(({ status }) => status === 'failed');
  const failed = file?.assertionResults.find(({ status }) => status === 'failed');
  return `${file?.name.slice(copy.length + 1)}: ${failed?.fullName ?? 'does not load'}`;
}

function tryOut({ file, text, by, suite }: Mutation): string | undefined {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(text).length !== 2) throw new Error(`${file} has not exactly once: ${text}`);
  writeFileSync(
    path,
    source.replace(text, () => by),
  );
  try {
    return caughtBy([suite]) ?? (quick ? undefined : caughtBy(SUITES));
  } finally {
    writeFileSync(path, source);
  }
}

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const chosen = MUTATIONS.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
// All of them are written against the code as it is, before hours are spent on one that is not.
for (const { file, text } of chosen) {
  if (readFileSync(join(copy, file), 'utf8').split(text).length !== 2)
    throw new Error(`${file} has not exactly once: ${text}`);
}
let survived = 0;
for (const mutation of chosen) {
  const caught = tryOut(mutation);
  if (caught === undefined) survived++;
  console.log(`| ${mutation.name} | ${mutation.file} | ${caught ?? '**survived**'} |`);
}
rmSync(copy, { recursive: true, force: true });
console.log(`${chosen.length} mutations, ${chosen.length - survived} caught, ${survived} survived`);
process.exit(survived === 0 ? 0 : 1);
