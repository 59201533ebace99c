/** One log: JSON lines for machines, short lines for a person at a terminal. */
import { Writable } from 'node:stream';
import pino from 'pino';

export type Log = pino.Logger;

/** `process` names the process among the hub's: primary, worker 1, … */
export function createLog(level: string, process_: string): Log {
  const options: pino.LoggerOptions = {
    level,
    base: { process: process_ },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  if (process.stdout.isTTY) return pino(options, terminal());
  return pino(options, pino.destination({ fd: 1, sync: true }));
}

function terminal(): Writable {
  return new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      process.stdout.write(readable(line));
      done();
    },
  });
}

function readable(line: string): string {
  const { level, time, msg, process: name, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const details = Object.entries(rest).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const stack = err === undefined ? '' : `\n${(err as { stack?: string }).stack}`;
  const words = [String(time).slice(11, 19), String(level).padEnd(5), `[${String(name)}]`, msg, ...details];
  return `${words.join(' ')}${stack}\n`;
}
