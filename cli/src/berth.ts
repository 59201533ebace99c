#!/usr/bin/env node
/** `berth`, for people who use a hub: docs/cli.md. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { createToken, listTokens, removeToken } from './commands/tokens.ts';
import { list } from './commands/ls.ts';
import { login, logout, whoami } from './commands/login.ts';
import { pull } from './commands/pull.ts';
import { push } from './commands/push.ts';
import { remove } from './commands/rm.ts';
import { listShares, revokeShare, share } from './commands/share.ts';
import { completionScript, SHELLS, type Shell } from './completion.ts';
import { CliError, EXIT, printable } from './errors.ts';
import { FORMATS, Output } from './output.ts';
import type { GlobalOptions, Session } from './session.ts';

declare const BERTH_VERSION: string;

const program = new Command('berth')
  .description('Push, pull and share the files of a Berth hub')
  .version(BERTH_VERSION)
  .option('--hub <address>', 'the hub, instead of BERTH_HUB or the last login')
  .addOption(new Option('-o, --format <format>', 'form of the result').choices(FORMATS).default('text'))
  .option('-q, --quiet', 'print nothing but errors and what was asked for')
  .option('--no-input', 'never ask, fail instead')
  .option('--retries <n>', 'how often to try again while the hub is busy or away', whole(0, 100), 5)
  .exitOverride()
  .showHelpAfterError('(berth COMMAND --help lists what there is)')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'berth: ')) });

let output: Output | undefined;

/** Options may stand before and after the command. */
function session(): Session {
  const options = program.opts<GlobalOptions>();
  output = new Output({ format: options.format, quiet: options.quiet ?? false });
  return { env: process.env, options, output };
}

const jobs = new Option('-j, --jobs <n>', 'files at a time').argParser(whole(1, 32)).default(4);
const yes = new Option('-y, --yes', 'do not ask');
const dryRun = new Option('--dry-run', 'say what would be done');
const username = new Option('-u, --username <name>', 'who');
const passwordStdin = new Option('--password-stdin', 'read the password or token from standard input');

command('login [hub]', 'Sign in; in place of a password a token is kept')
  .addOption(username)
  .addOption(passwordStdin)
  .option('--helper <name>', 'let docker-credential-<name> keep the secrets')
  .option('--days <n>', 'life of the token', whole(1, 365), 90)
  .action((hub, options) => login(session(), hub, options));
command('logout [hub]', 'Forget the credentials').action((hub) => logout(session(), hub));
command('whoami', 'Who this is, and what it may do').action(() => whoami(session()));
command('push <path...>', 'Push PATH… to REFERENCE: a folder as a version, or files into one')
  .usage('[options] PATH... REFERENCE')
  .option('--add', 'put the files of a folder beside what is in the version')
  .option('--replace', 'make the version what the folder is, whatever it was')
  .option('--final', 'finalise: from then on nothing in the version changes')
  .option('-p, --property <name=value>', 'say something about the version; repeatable', collect, [])
  .addOption(jobs)
  .addOption(dryRun)
  .action((given, options) => push(session(), given, options));
command('pull <reference>', 'Pull a version, a folder of it, or a file')
  .option('--output <path>', 'folder, or the name of a single file (.)')
  .addOption(jobs)
  .addOption(dryRun)
  .action((reference, options) => pull(session(), reference, options));
command('ls [reference]', 'List projects, repositories, versions or files')
  .option('-r, --recursive', 'files of all folders')
  .action((reference, options) => list(session(), reference, options));
command('rm <reference...>', 'Remove files or versions')
  .addOption(yes)
  .addOption(dryRun)
  .action((references, options) => remove(session(), references, options));

const sharing = command('share', 'Links that open one file to whoever has them').usage(
  'REFERENCE | ls PROJECT | rm PROJECT ID',
);
sharing
  .command('create <reference>', { isDefault: true })
  .description('Make a link')
  .option('--for <time>', 'how long it holds, such as 30m, 12h, 7d', '24h')
  .option('--upload', 'to put the file, not to get it')
  .action((reference, options) => share(session(), reference, options));
sharing
  .command('ls <project>')
  .description('Links that hold now')
  .action((project) => listShares(session(), project));
sharing
  .command('rm <project> <id>')
  .description('Take a link back')
  .action((project, id) => revokeShare(session(), project, id));

const tokens = command('tokens', 'Personal tokens');
tokens
  .command('ls', { isDefault: true })
  .description('List them')
  .action(() => listTokens(session()));
tokens
  .command('create <name>')
  .description('Make one, with your password')
  .option('--actions <list>', 'pull, push, delete, admin', commas, ['pull', 'push'])
  .option('--paths <list>', 'repositories, with * and **', commas)
  .option('--days <n>', 'life of the token', whole(1, 365), 90)
  .addOption(username)
  .addOption(passwordStdin)
  .action((name, options) => createToken(session(), name, options));
tokens
  .command('rm <id>')
  .description('Revoke one, with your password')
  .addOption(yes)
  .addOption(username)
  .addOption(passwordStdin)
  .action((id, options) => removeToken(session(), id, options));

program
  .command('completion')
  .argument('<shell>', SHELLS.join(', '), oneOf(SHELLS))
  .description('Print a script that completes commands')
  .action((shell: Shell) => void process.stdout.write(completionScript(shell, program)));

function command(signature: string, description: string): Command {
  return program.command(signature).description(description);
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It is a number from ${least} to ${most}.`);
  };
}

function oneOf<T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((each) => each === text);
    if (choice !== undefined) return choice;
    throw new InvalidArgumentError(`It is one of ${choices.join(', ')}.`);
  };
}

function collect(text: string, before: readonly string[]): string[] {
  return [...before, text];
}

function commas(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}

function explain(error: unknown): number {
  output?.end();
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  process.stderr.write(`berth: ${printable((error as Error).message)}\n`);
  return error instanceof CliError ? error.exitCode : EXIT.failure;
}

// Whoever reads our output may go; then there is nothing left to say.
process.stdout.on('error', () => process.exit(EXIT.ok));
process.stderr.on('error', () => {});
process.on('SIGINT', () => {
  output?.end();
  process.exit(EXIT.interrupted);
});
try {
  await program.parseAsync();
  process.exitCode = EXIT.ok;
} catch (error) {
  process.exitCode = explain(error);
}
