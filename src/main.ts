/** The command line: `berth serve`, and what operators need beside it. */
import { Argument, Command, CommanderError } from 'commander';
import { readConfig, type Reading } from './config.ts';
import { ConfigError } from './config/errors.ts';
import { flagOf, settingEntries } from './config/settings.ts';
import type { Flags } from './config/sources.ts';
import { VERSION } from './version.ts';

/** Exit code for wrong flags and settings; 1 is for everything else that fails. */
const USAGE = 2;

const program = new Command('berth').description('A hub for container images, Helm charts and files').version(VERSION);
program.exitOverride().showHelpAfterError('(berth COMMAND --help lists what there is)');

// What a command needs is loaded when it runs: the primary process of a hub stays small.
command('serve', 'Start the hub: Postgres unless there is one, the workers, the background jobs', async (reading) => {
  const { serve } = await import('./process/serve.ts');
  return serve(reading);
});
command('worker', 'Run background jobs only, for hubs with BERTH_JOBS=off', async (reading) => {
  const { work } = await import('./process/work.ts');
  return work(reading);
});
command('migrate', 'Bring the schema up to date, which every start does too', async (reading) => {
  const { migrateSchema } = await import('./process/admin.ts');
  return migrateSchema(reading);
});
command('doctor', 'Try out settings, Postgres and store, and say what to do', async (reading) => {
  const { doctor } = await import('./process/doctor.ts');
  return doctor(reading);
});
command('gc', 'Collect garbage now rather than within the minute', async (reading, _given, options) => {
  const { collectGarbage } = await import('./process/gc.ts');
  return collectGarbage(reading, Boolean(options['dryRun']));
}).option('--dry-run', 'say what would be removed, and remove nothing');
command('config', 'Show the settings in force, and where each comes from', async (reading) => {
  const { settingsTable } = await import('./config/docs.ts');
  process.stdout.write(settingsTable(reading));
  return 0;
});
command('reset-password', 'Give a user a new password and print it', async (reading, [user = 'admin']) => {
  const { resetPassword } = await import('./process/admin.ts');
  return resetPassword(reading, user);
}).argument('[user]', 'whose (admin)');
command('audit', 'Check that nobody has changed the audit trail', async (reading, _given, options) => {
  const { verifyTrail } = await import('./process/audit.ts');
  return verifyTrail(reading, options['head']);
})
  .addArgument(new Argument('<what>', 'what to do with it').choices(['verify']))
  .option('--head <seq:hash>', 'the end of the chain as an earlier check printed it');
command('explain', 'Say what someone may do, and which rule says so', async (reading, given, options) => {
  const { explainRight } = await import('./process/explain.ts');
  return explainRight(reading, given, options);
})
  .argument('<subject>', 'name of a user, or of what --subject-type says; everyone: who has not signed in')
  .argument('<action>', 'pull, push, delete or admin')
  .argument('<path>', "a repository's path, or the name of a project")
  .option('--subject-type <type>', 'user, team, robot, trust_rule or everyone')
  .option('--tag <tag>', 'the tag that would be made, moved or deleted')
  .option('--change <change>', 'create, overwrite or delete the tag');

program
  .command('import')
  .description('Take over what another server holds')
  .command('chartmuseum')
  .description("Take over a ChartMuseum's folder, or any chart repository by its URL, by way of a hub's HTTP API")
  .argument('<source>', 'the folder, or the URL of the repository or of its index.yaml')
  .argument('<namespace>', 'where to, such as acme/charts')
  .option('--hub <url>', 'the hub (BERTH_CLIENT_HUB, http://127.0.0.1:8080)')
  .option('--user <name>', 'who uploads (BERTH_CLIENT_USER); none with a token')
  .option('--password-file <file>', 'a file with the password or token (or BERTH_CLIENT_PASSWORD)')
  .option('--source-user <name>', 'for a source that asks for it (BERTH_CLIENT_SOURCE_USER)')
  .option('--source-password-file <file>', 'a file with its password (or BERTH_CLIENT_SOURCE_PASSWORD)')
  .option('--parallel <number>', 'charts under way at the same time (8)')
  .action(async (source: string, namespace: string, flags: object) => {
    const { runImport } = await import('./import/command.ts');
    process.exitCode = await runImport(source, namespace, flags, process.env, (line) => console.log(line));
  });

program
  .command('version')
  .description('Print the version')
  .action(() => console.log(VERSION));

/** A subcommand that takes every setting as a flag, beside options of its own, and returns the exit code. */
function command(
  name: string,
  description: string,
  action: (reading: Reading, given: readonly string[], options: Readonly<Record<string, string>>) => Promise<number>,
): Command {
  const subcommand = program.command(name).description(description);
  subcommand.option('--config <file>', 'YAML file with settings');
  const names = new Map<string, string>([['config', 'config']]);
  for (const [setting, definition] of settingEntries) {
    if (definition.secret) continue;
    const option = subcommand.createOption(`--${flagOf(definition)} <value>`, definition.doc);
    names.set(option.attributeName(), setting);
    subcommand.addOption(option);
  }
  return subcommand.action(async (...given: unknown[]) => {
    const options = subcommand.opts<Record<string, string>>();
    const settings = Object.entries(options).filter(([key]) => names.has(key));
    const flags = Object.fromEntries(settings.map(([key, value]) => [names.get(key), value])) as Flags;
    const words = given.filter((word) => typeof word === 'string');
    process.exitCode = await action(readConfig({ env: process.env, flags }), words, options);
  });
}

function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
  const sentences = error instanceof ConfigError ? error.problems : [(error as Error).message];
  for (const sentence of sentences) console.error(`berth: ${sentence}`);
  return error instanceof ConfigError ? USAGE : 1;
}

// Whoever read our output may have gone; that is no reason to end.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}
process.exit();
