/** How far a transfer is: bars where somebody looks, a line every few seconds where a log is kept. */
import { MultiBar, type SingleBar } from 'cli-progress';
import { printable } from './errors.ts';
import { countText, sizeText } from './units.ts';

/** Smaller files come and go faster than anyone reads. */
const OWN_BAR = 8 * 1024 * 1024;
const LINE_MS = 10_000;

export interface FileProgress {
  /** Bytes that were moved now, or are found to be there. */
  add(bytes: number): void;
  /** Begins anew at that many bytes. */
  at(bytes: number): void;
  /** The file is whole. */
  done(): void;
}

export class Progress {
  readonly #verb: string;
  readonly #mode: 'bars' | 'lines' | 'none';
  readonly #bars: MultiBar | undefined;
  #total: SingleBar | undefined;
  #timer: NodeJS.Timeout | undefined;
  #files = 0;
  #bytes = 0;
  #doneFiles = 0;
  #doneBytes = 0;

  constructor(verb: string, mode: 'bars' | 'lines' | 'none') {
    this.#verb = verb;
    this.#mode = mode;
    if (mode === 'bars') {
      this.#bars = new MultiBar({
        format: '{bar} {percentage}% {done} of {all}  {name}',
        stream: process.stderr,
        hideCursor: true,
        clearOnComplete: true,
        barsize: 24,
        barCompleteChar: '#',
        barIncompleteChar: '-',
        autopadding: true,
      });
    }
  }

  /** Says what is to come. */
  expect(files: number, bytes: number): void {
    this.#files += files;
    this.#bytes += bytes;
    if (this.#bars) {
      this.#total ??= this.#bars.create(1, 0, { name: '', done: '', all: '' });
      this.#draw();
    } else if (this.#mode === 'lines' && !this.#timer) {
      this.#timer = setInterval(() => this.note(this.#line()), LINE_MS).unref();
    }
  }

  file(name: string, size: number): FileProgress {
    const label = { name: printable(name), all: sizeText(size) };
    const bar = size >= OWN_BAR ? this.#bars?.create(size, 0, { ...label, done: sizeText(0) }) : undefined;
    let here = 0;
    const at = (bytes: number): void => {
      this.#doneBytes += bytes - here;
      here = bytes;
      bar?.update(here, { ...label, done: sizeText(here) });
      this.#draw();
    };
    return {
      at,
      add: (bytes) => at(here + bytes),
      done: () => {
        at(size);
        this.#doneFiles++;
        if (bar) this.#bars?.remove(bar);
        this.#draw();
      },
    };
  }

  /** A line that stays, above the bars. */
  note(line: string): void {
    if (this.#mode === 'none') return;
    if (this.#bars?.isActive) this.#bars.log(`${line}\n`);
    else process.stderr.write(`${line}\n`);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#bars?.stop();
  }

  #draw(): void {
    this.#total?.setTotal(Math.max(1, this.#bytes));
    const [done, all] = [sizeText(this.#doneBytes), sizeText(this.#bytes)];
    const name = `${this.#verb} ${this.#doneFiles} of ${countText(this.#files)}`;
    this.#total?.update(this.#bytes === 0 ? 1 : this.#doneBytes, { done, all, name });
  }

  #line(): string {
    const files = `${this.#doneFiles.toLocaleString('en')} of ${countText(this.#files)}`;
    return `${this.#verb}: ${files}, ${sizeText(this.#doneBytes)} of ${sizeText(this.#bytes)}`;
  }
}
