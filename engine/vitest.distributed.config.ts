import { defineConfig } from 'vitest/config';

/** The Redis and RabbitMQ adapters, against servers of the run's own. */
export default defineConfig({
  test: {
    name: 'distributed',
    include: ['test/distributed/*.test.ts'],
    globalSetup: 'test/support/server.ts',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
