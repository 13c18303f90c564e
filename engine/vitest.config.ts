import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'engine',
    include: ['{src,test}/**/*.test.ts'],
    globalSetup: 'test/support/server.ts',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Reloading the engine for each of 140 files took a quarter of the run. Its modules keep no state but random bytes for ids.
    isolate: false,
  },
});
