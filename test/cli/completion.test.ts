import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { makeCli } from './harness.ts';

const cli = await makeCli();
const script = async (shell: string) => (await cli.run(['completion', shell])).stdout;

it.each([
  ['berth pu', 'push pull'],
  ['berth share l', 'ls'],
  ['berth push --re', '--replace'],
  ['berth pull acme/tools:1 --out', '--output'],
  ['berth tokens create --a', '--actions'],
])('bash completes %j', async (line, completed) => {
  await cli.write({ 'berth.bash': await script('bash') });
  const words = line.split(' ');
  const ask = `source berth.bash; COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _berth; echo "\${COMPREPLY[*]}"`;
  expect(execFileSync('bash', ['-euc', ask], { cwd: cli.home, encoding: 'utf8' }).trim()).toBe(completed);
});

it('knows zsh and fish, and no others', async () => {
  expect(await script('zsh')).toMatch(/^#compdef berth\n/);
  expect(await script('fish')).toContain("complete -c berth -n 'not __fish_seen_subcommand_from");
  expect((await cli.run(['completion', 'cmd'])).code).toBe(2);
});
