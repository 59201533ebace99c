import { defineConfig } from 'vitest/config';

/** Acceptance (real clients) has a configuration of its own, in its folder. */
const APART = ['test/acceptance/**', 'test/boot/**', 'test/torture/**'];

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'main',
          include: ['test/**/*.test.ts'],
          exclude: APART,
          globalSetup: 'test/harness/postgres.ts',
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'boot',
          include: ['test/boot/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Times are asserted, so nothing else runs beside.
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'torture',
          include: ['test/torture/**/*.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
