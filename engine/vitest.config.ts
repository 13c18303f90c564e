import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'engine',
    include: ['{src,test}/**/*.test.ts'],
    globalSetup: 'test/support/server.ts',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Loading the engine anew for each of 140 files took a quarter of the run; what its modules keep (random bytes for ids) is
    // the same for every test.
    isolate: false,
  },
});
