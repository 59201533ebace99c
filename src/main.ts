/** The command line: `berth serve`, and what operators need beside it. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { readConfig, type Reading } from './config.ts';
import { ConfigError } from './config/errors.ts';
import { flagOf, settingEntries } from './config/settings.ts';
import type { Flags } from './config/sources.ts';
import { DataFolderRefused } from './process/data-folder.ts';

/** Of the process: 0 all well, 1 failed, 2 wrong flags or settings. */
const USAGE = 2;

const version = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string })
  .version;
const program = new Command('berth').description('A hub for container images, Helm charts and files').version(version);
program.exitOverride().showHelpAfterError().configureHelp({ showGlobalOptions: false });

command('serve', 'Starts the hub: Postgres unless there is one, the workers, the background jobs', async (reading) => {
  const { serve } = await import('./process/serve.ts');
  return serve(reading);
});

program
  .command('version')
  .description('Prints the version')
  .action(() => console.log(version));

/** A subcommand that takes every setting as a flag and returns the exit code. */
function command(name: string, description: string, action: (reading: Reading) => Promise<number>): void {
  const subcommand = program.command(name).description(description);
  subcommand.option('--config <file>', 'YAML file with settings');
  const names = new Map<string, string>([['config', 'config']]);
  for (const [setting, definition] of settingEntries) {
    if (definition.secret) continue;
    const option = subcommand.createOption(`--${flagOf(definition)} <value>`, definition.doc);
    names.set(option.attributeName(), setting);
    subcommand.addOption(option);
  }
  subcommand.action(async (options: Record<string, string>) => {
    const flags = Object.fromEntries(Object.entries(options).map(([key, value]) => [names.get(key), value])) as Flags;
    process.exitCode = await action(readConfig({ env: process.env, flags }));
  });
}

function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
  if (error instanceof ConfigError) {
    for (const problem of error.problems) console.error(`berth: ${problem}`);
    return USAGE;
  }
  console.error(`berth: ${(error as Error).message}`);
  if (process.env['BERTH_LOG_LEVEL'] === 'debug' && !(error instanceof DataFolderRefused)) console.error(error);
  return 1;
}

// Whoever read our output may have gone; that is no reason to end.
process.stdout.on('error', () => {});
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}
process.exit();
