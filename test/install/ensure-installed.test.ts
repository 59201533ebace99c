/** What runs before `npm start` and `npm test`, with a stand-in for npm that says what it was asked for. */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';

const LOCK = {
  '': { name: 'x' },
  'node_modules/a': { version: '1.0.0' },
  'node_modules/only-elsewhere': { version: '1.0.0', optional: true, os: ['aix'] },
  'node_modules/only-here': { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] },
  'node_modules/for-development': { version: '1.0.0', dev: true },
};
const { 'node_modules/only-elsewhere': _, ...INSTALLED } = LOCK;

const parent = await mkdtemp(join(tmpdir(), 'berth-install-'));
afterAll(() => rm(parent, { recursive: true }));
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(parent, 'clone-'));
  await mkdir(join(root, 'node_modules'));
  await mkdir(join(root, 'scripts'));
  const script = new URL('../../scripts/ensure-installed.mjs', import.meta.url).pathname;
  await cp(script, join(root, 'scripts', 'ensure-installed.mjs'));
  await lock('package-lock.json', LOCK);
});

const lock = (file: string, packages: object) => writeFile(join(root, file), JSON.stringify({ packages }));
const installed = (packages: object) => lock('node_modules/.package-lock.json', packages);

async function run(args: readonly string[] = [], npmExitCode = 0) {
  const npm = join(root, 'npm.mjs');
  const calls = join(root, 'calls');
  await writeFile(calls, '');
  await writeFile(
    npm,
    `import { appendFileSync } from 'node:fs';
     appendFileSync(${JSON.stringify(calls)}, process.argv.slice(2).join(' '));
     console.error('npm says why');
     process.exit(${npmExitCode});`,
  );
  const env = { PATH: process.env['PATH'], npm_execpath: npm, npm_node_execpath: process.execPath };
  const script = join(root, 'scripts', 'ensure-installed.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr, npm: await readFile(calls, 'utf8') };
}

test('does nothing, and says nothing, when all is there', async () => {
  await installed(INSTALLED);
  expect(await run(['--dev'])).toEqual({ status: 0, stdout: '', stderr: '', npm: '' });
});

test('installs what the lockfile says when nothing is there, in a line', async () => {
  expect(await run()).toEqual({
    status: 0,
    stdout: "Installing Berth's dependencies for the first time; this takes about a minute…\n",
    stderr: '',
    npm: 'ci',
  });
});

test.for([
  ['another version', { ...INSTALLED, 'node_modules/a': { version: '0.9.0' } }],
  ['one for this system that is missing', { ...INSTALLED, 'node_modules/only-here': undefined }],
] as const)('installs again: %s', async ([, packages]) => {
  await installed(packages);
  const { npm, stdout } = await run();
  expect(npm).toBe('ci');
  expect(stdout).toContain('again, since package-lock.json has changed');
});

test('what is for development is needed for tests only', async () => {
  await installed({ ...INSTALLED, 'node_modules/for-development': undefined });
  expect((await run()).npm).toBe('');
  expect((await run(['--dev'])).npm).toBe('ci');
});

test('a failure shows what npm said and what to do', async () => {
  const { status, stderr } = await run([], 1);
  expect(status).toBe(1);
  expect(stderr).toContain('npm says why');
  expect(stderr).toMatch(/berth: "npm ci" failed, see above\. Check the connection/);
});
