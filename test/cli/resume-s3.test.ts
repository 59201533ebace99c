/** The same on S3, where the bytes of a cut upload are parts and a tail, and downloads are sent on to the store. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ChildProcess } from 'node:child_process';
import { expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { newFiles } from '../files/harness.ts';
import { makeCli, newToken } from './harness.ts';
import { makeLine, tooSoon } from './line.ts';

const MIB = 1024 * 1024;
const hub = await testHub({ store: 's3', redirects: true });
const line = await makeLine(hub.origin);
const cli = await makeCli({ BERTH_HUB: line.origin, BERTH_TOKEN: await newToken(hub) });
const files = await newFiles(hub);

it.each([
  ['a file', 'one/big.bin', '1'],
  ['a folder', 'two', '2'],
])('%s goes up after kill -9 without being sent again, and comes down whole', async (_what, source, version) => {
  const content = randomBytes(24 * MIB);
  await cli.write({ [source.endsWith('.bin') ? source : `${source}/big.bin`]: content });
  const args = ['push', source, `${files.repository}:${version}`];
  const held = line.holdAfter(14 * MIB);
  let child: ChildProcess | undefined;
  const killed = cli.run(args, { started: (started) => (child = started) });
  await Promise.race([held, tooSoon(killed)]);
  child?.kill('SIGKILL');
  await killed;
  line.drop();
  const before = line.sent();
  const pushed = await cli.run(args);
  expect(pushed).toMatchObject({ code: 0 });
  expect(pushed.stderr).toContain('going on at');
  expect(line.sent() - before).toBeLessThan(22 * MIB);
  expect((await cli.run(['pull', `${files.repository}:${version}`, '--output', version])).code).toBe(0);
  expect((await readFile(cli.at(version, 'big.bin'))).equals(content)).toBe(true);
});
