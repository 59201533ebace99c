/** How long the requests of a storm take while garbage collection runs and while it does not, and whether that differs too much. */
import { median, quantiles, type Quantiles } from '../../bench/gc/quantiles.ts';
import type { Collected } from './storm-collector.ts';

export const MODES = ['on', 'off'] as const;
/** Whether garbage collection runs. */
export type Mode = (typeof MODES)[number];

/** The p99 with collection may be so many times what it is without. */
const MOST = 1.3;
/** After a checkpoint all clients come at once, and what the hub had in memory is what the checkpoint read. */
const AFTER_CHECKPOINT_MS = 2_000;

const OPERATIONS = ['push', 'pull'] as const;
type Operation = (typeof OPERATIONS)[number];
/**
 * What a request belongs to, by the name that it is asked under. Looking for a blob before it is pushed is shown and belongs to
 * neither: there are so many of these, and they are so cheap, that the p99 of a push would hardly be about pushing.
 */
const KINDS: Readonly<Record<string, Operation | 'neither'>> = {
  mount: 'push',
  'POST upload': 'push',
  'PATCH upload': 'push',
  'PUT upload': 'push',
  'PUT manifest': 'push',
  'PUT index': 'push',
  'HEAD blob': 'neither',
  'HEAD tag': 'pull',
  'HEAD child': 'pull',
  'GET manifest': 'pull',
  'GET child manifest': 'pull',
  'GET version': 'pull',
  'GET blob': 'pull',
  'GET layer': 'pull',
};

/** Milliseconds by kind of request. */
type Samples = ReadonlyMap<string, number[]>;

interface Window {
  readonly samples: Samples;
  readonly collected: Collected;
}

export interface Comparison {
  /** For people. */
  readonly lines: readonly string[];
  /** What was demanded and is not so, in sentences. */
  readonly missed: readonly string[];
}

/** Takes the time of requests, each counted for the window in which it left. */
export class Latencies {
  readonly #windows: Readonly<Record<Mode, Window[]>> = { on: [], off: [] };
  #open: Samples | undefined;
  #quietUntil = 0;

  /** Whether requests that leave now are counted. */
  get measuring(): boolean {
    return this.#open !== undefined && performance.now() >= this.#quietUntil;
  }

  /** A request leaves; the result is called when it was answered as expected. */
  leaves(what: string): (() => void) | undefined {
    const samples = this.measuring ? this.#open?.get(what.split(' of ', 1)[0] as string) : undefined;
    if (!samples) return undefined;
    const left = performance.now();
    return () => void samples.push(performance.now() - left);
  }

  open(): Samples {
    this.#open = new Map(Object.keys(KINDS).map((kind) => [kind, []]));
    return this.#open;
  }

  /** Requests that are under way are waited for by whoever keeps the window. */
  close(): void {
    this.#open = undefined;
  }

  /** A window that was whole: those that the end of the storm cut short are not kept. */
  keep(mode: Mode, samples: Samples, collected: Collected): void {
    this.#windows[mode].push({ samples, collected });
  }

  checkpointBegins(): void {
    this.#quietUntil = Infinity;
  }

  checkpointEnds(): void {
    this.#quietUntil = performance.now() + AFTER_CHECKPOINT_MS;
  }

  judge(): Comparison {
    const lines: string[] = [];
    const missed: string[] = [];
    for (const mode of MODES) {
      const windows = this.#windows[mode];
      const blobs = total(windows, 'blobs');
      const objects = total(windows, 'objects');
      lines.push(
        `collection ${mode}: ${windows.length} windows, ${blobs} blobs and ${objects} objects collected in them`,
      );
      if (windows.length === 0) missed.push(`no window with collection ${mode} was whole; let the storm last longer`);
      else if (mode === 'on' && blobs + objects === 0) missed.push('nothing was collected while collection was on');
      const anything = windows.some(({ collected }) => Object.values(collected).some((count) => count > 0));
      if (mode === 'off' && anything) missed.push('something was collected while collection was off');
    }
    if (MODES.some((mode) => this.#windows[mode].length === 0)) return { lines, missed };
    for (const operation of OPERATIONS) {
      const kinds = Object.keys(KINDS).filter((kind) => KINDS[kind] === operation);
      const { on, off } = this.#pooled(kinds);
      const ratio = on.p99 / off.p99;
      lines.push(sentence(operation, on, off), `${''.padEnd(20)}${this.#ofWindows(kinds)}`);
      // Written so that what is no number is missed, too.
      if (!(ratio <= MOST)) missed.push(`p99 of ${operation} is ${ratio.toFixed(2)} ×, more than ${MOST} ×`);
    }
    for (const kind of Object.keys(KINDS)) {
      const { on, off } = this.#pooled([kind]);
      if (on.count > 0 && off.count > 0) lines.push(sentence(`  ${kind}`, on, off));
    }
    return { lines, missed };
  }

  #pooled(kinds: readonly string[]): Record<Mode, Quantiles> {
    const of = (mode: Mode): Quantiles => quantiles(this.#windows[mode].flatMap((window) => samplesOf(window, kinds)));
    return { on: of('on'), off: of('off') };
  }

  /** Says whether a few bad windows made the p99 of all. */
  #ofWindows(kinds: readonly string[]): string {
    const of = (mode: Mode): number =>
      median(this.#windows[mode].map((window) => quantiles(samplesOf(window, kinds)).p99));
    const [on, off] = [of('on'), of('off')];
    return `median of the windows' p99: on ${on.toFixed(2)}, off ${off.toFixed(2)} ms, ${(on / off).toFixed(2)} ×`;
  }
}

function samplesOf({ samples }: Window, kinds: readonly string[]): number[] {
  return kinds.flatMap((kind) => samples.get(kind) ?? []);
}

function total(windows: readonly Window[], what: keyof Collected): number {
  return windows.reduce((sum, { collected }) => sum + collected[what], 0);
}

function sentence(name: string, on: Quantiles, off: Quantiles): string {
  const text = ({ count, p50, p99 }: Quantiles): string =>
    `${String(count).padStart(7)} × p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms`;
  const ratios = `p50 ${(on.p50 / off.p50).toFixed(2)} × p99 ${(on.p99 / off.p99).toFixed(2)} ×`;
  return `${name.padEnd(20)} on ${text(on)}   off ${text(off)}   on/off ${ratios}`;
}
