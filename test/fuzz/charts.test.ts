import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/registry/charts/read.ts';
import { ChartRefused } from '../../src/registry/charts/refused.ts';
import { testHub } from '../harness/hub.ts';
import { basic, send } from '../harness/oci-client.ts';
import { archive, upload } from './charts-inputs.ts';
import { faultOf, sendUpload } from './charts-send.ts';
import { HTTP_RUNS, HTTP_SEARCH, RUNS, SEARCH, timeout } from './runs.ts';

const hub = await testHub();
/** With those that are sent, two and a half inputs for each of other properties. */
const ARCHIVES = Math.ceil(RUNS * 2.5) - HTTP_RUNS;

const segment = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('charts', 'api', 'prov', 'web', 'index.yaml', 'web-1.2.3.tgz', '1.2.3', 'latest', '^1'),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('%00', '%2F', '%2e%2e', '..', '', '%ED%A0%80', '%zz', '%', '+', '%0A', 'a'.repeat(300)),
  },
  {
    weight: 1,
    arbitrary: fc.string({ maxLength: 20, unit: 'binary' }).map((text) => encodeURIComponent(text.toWellFormed())),
  },
);

describe('whatever is asked under /charts', () => {
  it(
    'is answered',
    async () => {
      const project = await hub.project();
      const authorization = basic(hub.adminCredentials);
      const methods = fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'OPTIONS');
      const middle = fc.constantFrom<string[]>([], ['api', 'charts'], ['charts', 'api', 'charts'], ['api']);
      await fc.assert(
        fc.asyncProperty(
          methods,
          middle,
          fc.array(segment, { maxLength: 4 }),
          fc.boolean(),
          async (method, where, rest, known) => {
            const path = ['/charts', ...(known ? [project] : []), ...where, ...rest].join('/');
            const answer = await send(hub.origin, { method, path, headers: { Authorization: authorization } });
            expect(answer.status, `${method} ${path}`).toBeLessThan(500);
            expect(answer.header('Content-Type') ?? '', path).not.toMatch(/html/);
          },
        ),
        HTTP_SEARCH,
      );
    },
    timeout(100, HTTP_RUNS),
  );
});

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
