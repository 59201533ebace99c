/** Results go to standard output, in the form that was asked for; everything else goes to standard error. */
import { printable } from './errors.ts';
import { Progress } from './progress.ts';

export const FORMATS = ['text', 'json', 'name'] as const;
export type Format = (typeof FORMATS)[number];

export class Output {
  readonly format: Format;
  readonly quiet: boolean;
  #progress: Progress | undefined;

  constructor(options: { format: Format; quiet: boolean }) {
    this.format = options.format;
    this.quiet = options.quiet;
  }

  /** A word about what is going on, for people. */
  note(line: string): void {
    if (this.quiet) return;
    if (this.#progress) this.#progress.note(printable(line));
    else process.stderr.write(`${printable(line)}\n`);
  }

  /** What the command was for. `name` is what another command would take. */
  result(value: unknown, text: string | readonly string[], name: string | readonly string[] = text): void {
    if (this.format === 'json') process.stdout.write(`${JSON.stringify(value)}\n`);
    else if (this.format === 'name') this.#lines(name);
    else if (!this.quiet) this.#lines(text);
  }

  /** What was asked for in so many words, so it is printed with --quiet, too. */
  answer(value: unknown, text: string | readonly string[], name: string | readonly string[] = text): void {
    if (this.format === 'text') this.#lines(text);
    else this.result(value, text, name);
  }

  #lines(text: string | readonly string[]): void {
    for (const line of [text].flat()) process.stdout.write(`${printable(line)}\n`);
  }

  progress(verb: string): Progress {
    const progress = new Progress(verb, this.quiet ? 'none' : process.stderr.isTTY ? 'bars' : 'lines');
    this.#progress = progress;
    return progress;
  }

  /** Puts the terminal in order. */
  end(): void {
    this.#progress?.stop();
    this.#progress = undefined;
  }
}

/** Columns of text, as wide as they have to be. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length))) ?? [];
  return rows.map((row) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  '),
  );
}
