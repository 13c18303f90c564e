import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: ['client', 'engine', 'loadgen', 'web', 'deploy'],
    // Tests share two processors with the servers they start: more files at once only make each of them slower.
    maxWorkers: 2,
  },
});
