import { expect, it } from 'vitest';
import { COUNTS, type Collected } from '../torture/storm-collector.ts';
import { Latencies, type Mode } from '../torture/storm-latency.ts';

const NOTHING = Object.fromEntries(COUNTS.map((name) => [name, 0])) as Collected;
const SOMETHING: Collected = { ...NOTHING, blobs: 3, objects: 2 };

interface Windows {
  readonly on: Readonly<Record<string, number>>;
  readonly off: Readonly<Record<string, number>>;
}

function latenciesOf({ on, off }: Windows, collected: Readonly<Record<Mode, Collected>>): Latencies {
  const latencies = new Latencies();
  for (const [mode, milliseconds] of [
    ['on', on],
    ['off', off],
  ] as const) {
    const samples = latencies.open();
    for (const [kind, ms] of Object.entries(milliseconds)) samples.get(kind)?.push(ms);
    latencies.close();
    latencies.keep(mode, samples, collected[mode]);
  }
  return latencies;
}

const USUAL = { on: SOMETHING, off: NOTHING };

it('demands that collection makes neither pushes nor pulls slower than 1.3 times', () => {
  const off = { 'PUT manifest': 10, 'GET blob': 10 };
  expect(latenciesOf({ on: { 'PUT manifest': 13, 'GET blob': 9 }, off }, USUAL).judge().missed).toEqual([]);
  expect(latenciesOf({ on: { 'PUT manifest': 13.1, 'GET blob': 14 }, off }, USUAL).judge().missed).toEqual([
    'p99 of push is 1.31 ×, more than 1.3 ×',
    'p99 of pull is 1.40 ×, more than 1.3 ×',
  ]);
});

it('does not believe a comparison of nothing with nothing', () => {
  expect(new Latencies().judge().missed).toHaveLength(2);
  const same = { 'PUT manifest': 10, 'GET blob': 10 };
  const collected = { on: NOTHING, off: SOMETHING };
  expect(latenciesOf({ on: same, off: same }, collected).judge().missed).toEqual([
    'nothing was collected while collection was on',
    'something was collected while collection was off',
  ]);
  expect(latenciesOf({ on: {}, off: {} }, USUAL).judge().missed).toHaveLength(2);
});

it('counts a request for the window in which it left, and none that leaves while a checkpoint runs', () => {
  const latencies = new Latencies();
  expect(latencies.leaves('PUT manifest')).toBeUndefined();
  const samples = latencies.open();
  const answered = latencies.leaves('GET manifest of a/b');
  expect(latencies.leaves('DELETE manifest')).toBeUndefined();
  latencies.checkpointBegins();
  expect(latencies.leaves('PUT manifest')).toBeUndefined();
  latencies.checkpointEnds();
  expect(latencies.leaves('PUT manifest')).toBeUndefined();
  latencies.close();
  answered?.();
  expect(samples.get('GET manifest')).toHaveLength(1);
  expect(samples.get('PUT manifest')).toEqual([]);
});
