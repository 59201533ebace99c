import { expect, test } from 'vitest';
import { judge } from '../../bench/report/demands.ts';
import { summarise, type Round } from '../../bench/report/summary.ts';

function round(operations: number, serverCpuSeconds: number): Round {
  return {
    operations,
    seconds: 2,
    bytes: operations * 1e6,
    p50: 1,
    p99: 2,
    serverCpuSeconds,
    generatorCpuSeconds: 0,
    load: [0, 0],
  };
}

const measured = {
  id: 'manifest-get',
  unit: 'requests/s',
  sides: [
    { side: 'berth', rounds: [round(400, 1), round(900, 1), round(600, 1)], peakMemory: 300 },
    { side: 'docker-registry', rounds: [round(100, 2), round(100, 2), round(300, 6)], peakMemory: 150 },
  ],
} as const;

test('ratios are taken of neighbouring rounds, and the median of them counts', () => {
  const { sides, ratios } = summarise(measured);
  expect(sides[0]!.rate).toEqual({ median: 300, least: 200, most: 450 });
  expect(ratios[0]!.rate).toEqual({ median: 4, least: 2, most: 9 });
  expect(ratios[0]!.memory).toBe(2);
  // 1 s / 600 requests against 2 s / 100 requests.
  expect(ratios[0]!.cpu).toBeCloseTo(12);
});

test('large transfers are rated by bytes', () => {
  const { sides } = summarise({ ...measured, unit: 'MB/s' });
  expect(sides[1]!.rate.median).toBe(50);
  expect(sides[1]!.cpu).toBeCloseTo(20);
});

test('a demand is met, missed, or not judged when its workload was left out', () => {
  const demands = { peer: 'docker-registry', rate: { 'manifest-get': 4, ping: 9 }, memory: 2.5 };
  expect(judge(demands, [summarise(measured)], 2.6).map(({ what, met }) => [what, met])).toEqual([
    ['manifest-get', true],
    ['peak memory', false],
  ]);
});
