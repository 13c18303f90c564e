import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: ['client', 'engine', 'loadgen', 'web', 'deploy'],
    // One number for all projects, because with different numbers vitest runs them one after the other. Tests share two
    // processors with the servers they start: running three files at once took longer than two, and timed out.
    maxWorkers: 2,
  },
});
