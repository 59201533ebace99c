import { expect, it } from 'vitest';
import { FIRST_PART, MAX_PARTS, partSize } from '../../src/blobs/s3-state.ts';

const numbers = Array.from({ length: MAX_PARTS }, (_, index) => index + 1);

it('reaches 5 TiB within the parts that S3 allows', () => {
  expect(numbers.reduce((sum, n) => sum + partSize(n), 0)).toBeGreaterThan(5 * 2 ** 40);
});

it('makes parts that S3 and Node can take', () => {
  expect(Math.min(...numbers.map(partSize))).toBe(FIRST_PART);
  expect(Math.max(...numbers.map(partSize))).toBeLessThan(2 ** 31);
});

it('makes equal parts for all but giants', () => {
  expect(numbers.findLast((n) => partSize(n) === FIRST_PART)).toBeGreaterThan((20 * 2 ** 30) / FIRST_PART);
});
