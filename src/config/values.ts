/** Parsers of single settings: text in, a value out, or an error that completes "BERTH_X must be …". */
import { isAddressRange } from '../http/client-address.ts';

const SIZE_UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
const TIME_UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

export function text(value: string): string {
  if (value === '') throw new Error('must not be empty');
  return value;
}

export function integer(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < least || number > most) {
      throw new Error(`must be a whole number from ${least} to ${most}`);
    }
    return number;
  };
}

export function choice<const Value extends string>(...values: readonly Value[]): (value: string) => Value {
  return (value) => {
    const found = values.find((candidate) => candidate === value);
    if (found === undefined) throw new Error(`must be one of ${values.join(', ')}`);
    return found;
  };
}

/** on/off, and what people and YAML write for it. */
export function onOff(value: string): boolean {
  if (['on', 'true', 'yes', '1'].includes(value)) return true;
  if (['off', 'false', 'no', '0'].includes(value)) return false;
  throw new Error('must be on or off');
}

/** Bytes: `500MiB`, `10GiB`, `1024`. */
export function bytes(value: string): number {
  const match = /^(\d+)\s*(|KiB|MiB|GiB|TiB)$/.exec(value);
  if (match === null) throw new Error('must be a size such as 500MiB or 10GiB');
  return Number(match[1]) * SIZE_UNITS[match[2]!]!;
}

/** Seconds: `90s`, `15m`, `24h`, `7d`. */
export function duration(value: string): number {
  const match = /^(\d+)(s|m|h|d)$/.exec(value);
  if (match === null) throw new Error('must be a time such as 90s, 15m, 24h or 7d');
  return Number(match[1]) * TIME_UNITS[match[2]!]!;
}

/** Days, also fractions, as seconds: `7`, `0.5`. */
export function days(value: string): number {
  if (!/^\d{1,4}(\.\d{1,6})?$/.test(value)) throw new Error('must be a number of days such as 7 or 0.5');
  return Number(value) * TIME_UNITS['d']!;
}

/** A time that must not be shorter than `least`. */
export function durationFrom(least: string): (value: string) => number {
  return (value) => {
    const seconds = duration(value);
    if (seconds < duration(least)) throw new Error(`must be at least ${least}`);
    return seconds;
  };
}

/** An origin: scheme, host and port, without a path. */
export function origin(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const plain = url?.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
  if (url === undefined || !plain || !/^https?:$/.test(url.protocol)) {
    throw new Error('must be a URL without a path, such as https://hub.example.com');
  }
  return url.origin;
}

/** Origins, separated by commas. */
export function origins(value: string): readonly string[] {
  return value.split(',').map((part) => origin(part.trim()));
}

/** Addresses and networks, separated by commas. */
export function addressRanges(value: string): readonly string[] {
  const ranges = value.split(',').map((part) => part.trim());
  if (!ranges.every(isAddressRange)) throw new Error('must be addresses or networks such as 10.0.0.5,192.168.0.0/16');
  return ranges;
}

export function postgresUrl(value: string): string {
  if (!/^postgres(ql)?:\/\//.test(value) || !URL.canParse(value)) {
    throw new Error('must be a URL such as postgresql://user:password@host:5432/berth');
  }
  return value;
}

/** 32 bytes in base64. */
export function key(value: string): Buffer {
  const decoded = Buffer.from(value, 'base64');
  if (decoded.length !== 32) throw new Error('must be 32 bytes in base64: openssl rand -base64 32');
  return decoded;
}

export function password(value: string): string {
  if (value.length < 8) throw new Error('must have at least 8 characters');
  return value;
}
