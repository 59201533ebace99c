/** The registries that Berth is measured against: those that are installed or named in the environment. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { end, freePort, launch, type Side } from './side.ts';

export interface Peer {
  readonly name: string;
  /** Where its program is, or why there is none. */
  readonly program: string | undefined;
  readonly missing: string;
  start(program: string, folder: string): Promise<Side>;
}

/** Configuration that favours the peer: quiet logs, descriptors cached in memory, no authentication. */
function distributionConfig(port: number, storage: string): string {
  return [
    'version: 0.1',
    'log: { level: error, accesslog: { disabled: true } }',
    'storage:',
    `  filesystem: { rootdirectory: ${JSON.stringify(storage)} }`,
    '  cache: { blobdescriptor: inmemory }',
    '  delete: { enabled: true }',
    `http: { addr: "127.0.0.1:${port}" }`,
    '',
  ].join('\n');
}

function zotConfig(port: number, storage: string): string {
  return JSON.stringify({
    storage: { rootDirectory: storage, dedupe: false, commit: true, gc: false },
    http: { address: '127.0.0.1', port: String(port) },
    log: { level: 'error', output: '/dev/null' },
  });
}

function peer(name: string, program: string | undefined, missing: string, config: typeof zotConfig): Peer {
  const start = async (file: string, folder: string): Promise<Side> => {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const home = path.join(folder, name);
    const configFile = path.join(home, 'config.json');
    fs.mkdirSync(path.join(home, 'data'), { recursive: true });
    fs.writeFileSync(configFile, config(port, path.join(home, 'data')));
    const logFile = path.join(folder, `${name}.log`);
    // Without an exporter, distribution 3 would try to reach an OpenTelemetry collector.
    const env = { OTEL_TRACES_EXPORTER: 'none' };
    const child = await launch({ name, command: file, args: ['serve', configFile], env, logFile }, origin);
    return { target: { name, origin, pids: [child.pid!] }, version: versionOf(file), stop: () => end(child) };
  };
  return { name, program, missing, start };
}

export function knownPeers(env: NodeJS.ProcessEnv): readonly Peer[] {
  return [
    peer(
      'docker-registry',
      onPath('docker-registry', env),
      'not on the PATH (Debian and Ubuntu: apt-get install docker-registry)',
      distributionConfig,
    ),
    peer('distribution', env['PEER_DISTRIBUTION_BIN'], 'PEER_DISTRIBUTION_BIN is not set', distributionConfig),
    peer('zot', env['PEER_ZOT_BIN'], 'PEER_ZOT_BIN is not set', zotConfig),
  ];
}

function onPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env['PATH'] ?? '').split(path.delimiter);
  return folders.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file));
}

/** What the program says about itself, and the Go release that built it: that decides how fast it hashes. */
function versionOf(file: string): string {
  let said = '';
  try {
    said = execFileSync(file, ['--version'], { encoding: 'utf8', timeout: 10_000 }).trim().split('\n')[0] ?? '';
  } catch {
    said = path.basename(file);
  }
  const bytes = fs.readFileSync(file);
  const build = bytes.indexOf('\xff Go buildinf:', 0, 'latin1');
  const go = /go1\.\d+(\.\d+)?/.exec(
    bytes.toString('latin1', build < 0 ? 0 : build, build < 0 ? undefined : build + 200),
  );
  return `${said}, ${go?.[0] ?? 'unknown Go'}`;
}
