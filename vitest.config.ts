import { defineConfig } from 'vitest/config';

/**
 * Forks only: threads crash with Temporal's native core. Two projects, so that what needs no
 * server does not wait for one.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: ['./test/support/journal-folder.ts'],
    reporters: ['default', './test/closing-line-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'no-server',
          include: ['test/{architecture,domain,contract,simulation,replay}/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'server',
          include: ['test/{workflow,e2e}/**/*.test.ts'],
          globalSetup: ['./test/support/global-setup.ts'],
          // They judge times, and each starts a service: two cores carry one at a time.
          fileParallelism: false,
        },
      },
    ],
  },
});
