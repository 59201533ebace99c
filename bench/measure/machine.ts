/** Facts about the machine that the figures depend on. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Instructions that decide how fast hashing and encryption are. */
  readonly flags: readonly string[];
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly filesystem: string;
  /** MB/s of a sequential write of 256 MiB with fdatasync: the ceiling of durable pushes. */
  readonly diskWrite: number;
  readonly commit: string;
}

const TELLING_FLAGS = ['sha_ni', 'avx2', 'avx512f', 'vaes', 'sha2', 'sha512'];

export function describeMachine(folder: string): Machine {
  const info = fs.readFileSync('/proc/cpuinfo', 'utf8');
  const flags = new Set((/^(?:flags|Features)\s*:(.*)$/m.exec(info)?.[1] ?? '').trim().split(/\s+/));
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    flags: TELLING_FLAGS.filter((flag) => flags.has(flag)),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: os.release(),
    node: process.version,
    filesystem: filesystemOf(folder),
    diskWrite: diskWrite(folder),
    commit: gitVersion(),
  };
}

/** Load averages of one and five minutes. */
export function load(): readonly [number, number] {
  const [one = 0, five = 0] = os.loadavg();
  return [one, five];
}

/** Waits until what was written to this file system is on disk, so that no server pays for the pushes of another. */
export function settle(folder: string): void {
  execFileSync('sync', ['--file-system', folder]);
}

export function freeBytes(folder: string): number {
  const { bavail, bsize } = fs.statfsSync(folder);
  return bavail * bsize;
}

/** The type of the mount that holds the folder. */
function filesystemOf(folder: string): string {
  const real = fs.realpathSync(folder);
  let best = { point: '', type: 'unknown' };
  for (const line of fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [mount = '', source = ''] = line.split(' - ');
    const point = mount.split(' ')[4] ?? '';
    const holds = point === '/' || real === point || real.startsWith(`${point}/`);
    if (holds && point.length >= best.point.length) best = { point, type: source.split(' ')[0] ?? 'unknown' };
  }
  return best.type;
}

function diskWrite(folder: string): number {
  const file = path.join(folder, 'disk-write');
  const block = Buffer.alloc(1024 * 1024, 'berth');
  const begin = performance.now();
  const fd = fs.openSync(file, 'w');
  for (let n = 0; n < 256; n += 1) fs.writeSync(fd, block);
  fs.fdatasyncSync(fd);
  const seconds = (performance.now() - begin) / 1000;
  fs.closeSync(fd);
  fs.rmSync(file);
  return Math.round((256 * block.length) / 1e6 / seconds);
}

/** The commit, and whether the tree differs from it. */
export function gitVersion(): string {
  const git = (...args: string[]): string => {
    try {
      return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      return '';
    }
  };
  const commit = git('rev-parse', '--short=12', 'HEAD') || 'no commit';
  return git('status', '--porcelain') === '' ? commit : `${commit} with changes`;
}
