import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: ['client', 'engine', 'loadgen', 'web', 'deploy'],
    // Tests share two processors with the servers they start, and some wait for time to pass: three at once keep both busy.
    maxWorkers: 3,
  },
});
