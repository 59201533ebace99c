/** Uploads and downloads that are cut in the middle go on where they ended, whoever was cut. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { ChildProcess } from 'node:child_process';
import { testHub } from '../harness/hub.ts';
import { newFiles } from '../files/harness.ts';
import { makeCli, newToken, type Cli } from './harness.ts';
import { makeLine, tooSoon } from './line.ts';

const MIB = 1024 * 1024;
const hub = await testHub();
const line = await makeLine(hub.origin);
const token = await newToken(hub);
const cli: Cli = await makeCli({ BERTH_HUB: line.origin, BERTH_TOKEN: token });
const files = await newFiles(hub);
const big = randomBytes(24 * MIB);
await cli.write({ 'big.bin': big, 'folder/big.bin': randomBytes(24 * MIB), 'folder/small.txt': 'small' });

/** Bytes that were sent over the line meanwhile. */
async function sending<T>(work: () => Promise<T>): Promise<[T, number]> {
  const before = line.sent();
  const result = await work();
  return [result, line.sent() - before];
}

async function killedInTheMiddle(args: readonly string[]): Promise<void> {
  const held = line.holdAfter(12 * MIB);
  let child: ChildProcess | undefined;
  const ended = cli.run(args, { started: (started) => (child = started) });
  await Promise.race([held, tooSoon(ended)]);
  child?.kill('SIGKILL');
  expect((await ended).code).toBe(null);
  line.drop();
}

describe('an upload of a file', () => {
  it('goes on by itself when the line is cut', async () => {
    line.cutAfter(12 * MIB, 'up');
    const [pushed, bytes] = await sending(() => cli.run(['push', 'big.bin', `${files.repository}:1`]));
    expect(pushed).toMatchObject({ code: 0 });
    expect(pushed.stderr).toMatch(/big\.bin: going on at [\d,]+ of 25,165,824 bytes/);
    expect(bytes).toBeLessThan(34 * MIB);
    expect((await files.get('1', 'big.bin')).body.equals(big)).toBe(true);
  });

  it('goes on in the next run when it was killed', async () => {
    await cli.write({ 'killed.bin': randomBytes(24 * MIB) });
    await killedInTheMiddle(['push', 'killed.bin', `${files.repository}:1`]);
    const [pushed, bytes] = await sending(() => cli.run(['push', 'killed.bin', `${files.repository}:1`]));
    expect(pushed).toMatchObject({ code: 0 });
    expect(pushed.stderr).toContain('killed.bin: going on at');
    expect(bytes).toBeLessThan(22 * MIB);
  });

  it('begins anew when the file has changed meanwhile', async () => {
    await cli.write({ 'changed.bin': randomBytes(24 * MIB) });
    await killedInTheMiddle(['push', 'changed.bin', `${files.repository}:1`]);
    const other = randomBytes(24 * MIB);
    await cli.write({ 'changed.bin': other });
    const pushed = await cli.run(['push', 'changed.bin', `${files.repository}:1`]);
    expect(pushed).toMatchObject({ code: 0 });
    expect(pushed.stderr).toContain('belongs to another file');
    expect((await files.get('1', 'changed.bin')).body.equals(other)).toBe(true);
  });
});

describe('an upload of a folder', () => {
  it('shows nothing while it is not whole, and goes on in the next run', async () => {
    await killedInTheMiddle(['push', 'folder', `${files.repository}:2`]);
    expect((await files.get('2', '')).status).toBe(404);
    const [pushed, bytes] = await sending(() => cli.run(['push', 'folder', `${files.repository}:2`]));
    expect(pushed).toMatchObject({ code: 0 });
    expect(pushed.stderr).toContain('going on at');
    expect(bytes).toBeLessThan(22 * MIB);
    expect((await files.get('2', 'small.txt')).body.toString()).toBe('small');
    expect(await readdir(cli.at('state/berth/uploads'))).toEqual([]);
  });

  it('goes on by itself when the line is cut', async () => {
    await cli.write({ 'folder/big.bin': randomBytes(24 * MIB) });
    line.cutAfter(12 * MIB, 'up');
    const pushed = await cli.run(['push', 'folder', `${files.repository}:3`]);
    expect(pushed).toMatchObject({ code: 0 });
    expect(pushed.stderr).toContain('going on at');
  });
});

describe('a download', () => {
  it('goes on by itself when the line is cut', async () => {
    line.cutAfter(12 * MIB, 'down');
    const pulled = await cli.run(['pull', `${files.repository}:1/big.bin`, '--output', 'down.bin']);
    expect(pulled).toMatchObject({ code: 0 });
    expect(pulled.stderr).toContain('The connection was cut; trying again');
    expect((await readFile(cli.at('down.bin'))).equals(big)).toBe(true);
  });

  it('goes on in the next run, and checks what was left', async () => {
    const args = ['pull', `${files.repository}:1/big.bin`, '--output', 'next/', '--retries', '0'];
    line.cutAfter(12 * MIB, 'down');
    const cut = await cli.run(args);
    expect(cut).toMatchObject({ code: 1 });
    const [part, ...others] = await readdir(cli.at('next'));
    expect(part).toMatch(/^\.big\.bin\..*\.berth-part$/);
    expect(others).toEqual([]);
    expect((await cli.run(args)).stderr).toContain('going on at');
    expect((await readFile(cli.at('next/big.bin'))).equals(big)).toBe(true);

    await cli.write({ [`next/${part}`]: Buffer.alloc(10 * MIB, 'wrong'), 'next/big.bin': 'old' });
    expect((await cli.run(args)).code).toBe(0);
    expect((await readFile(cli.at('next/big.bin'))).equals(big)).toBe(true);
    expect(await readdir(cli.at('next'))).toEqual(['big.bin']);
  });
});
