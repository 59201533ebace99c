import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'acceptance',
    include: ['test/acceptance/*.test.ts'],
    globalSetup: 'test/acceptance/global-setup.ts',
    reporters: ['default', 'test/harness/summary-reporter.ts'],
    // Daemons die with the process that started them, and only a forked one is ours alone.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
});
