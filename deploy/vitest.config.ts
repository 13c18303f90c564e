import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'deploy',
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    // Go and its library may have to be installed first, where there is none.
    hookTimeout: 300_000,
  },
});
