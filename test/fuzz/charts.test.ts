import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/registry/charts/read.ts';
import { ChartRefused } from '../../src/registry/charts/refused.ts';
import { testHub } from '../harness/hub.ts';
import { archive, upload } from './charts-inputs.ts';
import { faultOf, sendUpload } from './charts-send.ts';
import { HTTP_RUNS, HTTP_SEARCH, RUNS, SEARCH, timeout } from './runs.ts';

const hub = await testHub();
/** With those that are sent, two and a half inputs for each of other properties. */
const ARCHIVES = Math.ceil(RUNS * 2.5) - HTTP_RUNS;

describe('whatever comes as a chart', () => {
  it(
    'is one, or is refused with a reason',
    async () => {
      await fc.assert(
        fc.asyncProperty(archive, async (bytes) => {
          try {
            const { metadata } = await readChart(bytes);
            expect(metadata.name).toMatch(/^[^/]+$/);
          } catch (error) {
            expect(error).toBeInstanceOf(ChartRefused);
            expect((error as Error).message.length).toBeLessThan(1_500);
          }
        }),
        { ...SEARCH, numRuns: ARCHIVES },
      );
      expect(Object.keys(Object.prototype)).toEqual([]);
    },
    timeout(100, ARCHIVES),
  );

  it(
    'is answered, also when it is cut, has a wrong boundary, or its sender goes away',
    async () => {
      const project = await hub.project();
      const door = { origin: hub.origin, namespace: `${project}/charts`, credentials: hub.adminCredentials };
      await fc.assert(
        fc.asyncProperty(upload, async (input) => {
          expect(faultOf(await sendUpload(door, input))).toBeUndefined();
        }),
        HTTP_SEARCH,
      );
    },
    timeout(300, HTTP_RUNS),
  );
});
