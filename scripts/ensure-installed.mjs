// Runs before `npm start` and `npm test`: installs what package-lock.json says, when it is not there yet.
// Plain JavaScript for old Nodes, with nothing but Node's own modules.
//
//   --dev   what only development needs has to be there too
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const withDev = process.argv.includes('--dev');

const reason = whyInstall();
if (reason !== undefined) install(reason);

/** Nothing when node_modules is what the lockfile asks for. */
function whyInstall() {
  const wanted = packagesIn('package-lock.json');
  if (wanted === undefined) fail('package-lock.json is missing or damaged. Clone the repository again.');
  const present = packagesIn(join('node_modules', '.package-lock.json'));
  if (present === undefined) return 'for the first time';
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || !isNeeded(entry)) continue;
    if (present[path]?.version !== entry.version) return 'again, since package-lock.json has changed';
  }
  return undefined;
}

function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function isNeeded(entry) {
  if ((entry.dev || entry.devOptional) && !withDev) return false;
  if (entry.peer && entry.optional) return false;
  if (!fits(entry.os, process.platform) || !fits(entry.cpu, process.arch)) return false;
  return entry.libc === undefined || fits(entry.libc, libc());
}

/** As in package.json: `"linux"`, `["linux", "darwin"]` or `["!win32"]`. */
function fits(given, value) {
  if (given === undefined) return true;
  const list = [given].flat();
  const denied = list.filter((name) => name.startsWith('!')).map((name) => name.slice(1));
  const allowed = list.filter((name) => !name.startsWith('!'));
  return !denied.includes(value) && (allowed.length === 0 || allowed.includes(value));
}

function libc() {
  // Otherwise the report looks up the names of all addresses.
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
}

function install(why) {
  console.log(`Installing Berth's dependencies ${why}; this takes about a minute…`);
  // The Node that runs npm, not one from node_modules, which is about to be replaced.
  const cli = process.env.npm_execpath;
  const node = process.env.npm_node_execpath ?? process.execPath;
  const [command, before] = cli ? [node, [cli]] : ['npm', []];
  const omit = withDev || process.env.NODE_ENV !== 'production' ? [] : ['--omit=dev'];
  const { status, error, stdout, stderr } = spawnSync(command, [...before, 'ci', ...omit], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status === 0) return warmUp();
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  const more = error ? `: ${error.message}` : ', see above';
  fail(`"npm ci" failed${more}. Check the connection to your npm registry (npm config get registry) and try again.`);
}

// Not needed, so nothing is said when it fails.
function warmUp() {
  const node = join(root, 'node_modules', '.bin', 'node');
  spawnSync(node, [join(root, 'scripts', 'warm-up.mjs')], { cwd: root, stdio: 'ignore' });
}

function fail(sentence) {
  console.error(`berth: ${sentence}`);
  process.exit(1);
}
