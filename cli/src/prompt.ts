/** Questions to who sits at the terminal, and secrets from standard input. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { usage } from './errors.ts';
import type { Session } from './session.ts';

/** The first line of standard input. */
export async function readStdin(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > 64 * 1024) throw usage('That is too long for a password');
  }
  return text.replace(/\r?\n$/, '');
}

/** @throws {CliError} usage, where nobody can be asked; `instead` says what to do */
export async function ask(session: Session, question: string, instead: string, hidden = false): Promise<string> {
  if (!session.options.input || !process.stdin.isTTY) throw usage(instead);
  let silent = false;
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!silent) process.stderr.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  lines.on('SIGINT', () => process.emit('SIGINT'));
  const closed = new Promise<never>((_resolve, reject) => {
    lines.once('close', () => reject(usage(instead)));
  });
  try {
    const answer = lines.question(question);
    silent = hidden;
    return await Promise.race([answer, closed]);
  } finally {
    lines.close();
    if (hidden) process.stderr.write('\n');
  }
}

export async function confirm(session: Session, what: string, yes: boolean | undefined): Promise<void> {
  if (yes) return;
  const answer = await ask(session, `${what}? [y/N] `, `${what}? Say --yes`);
  if (!/^y(?:es)?$/i.test(answer.trim())) throw usage('Nothing was changed');
}
