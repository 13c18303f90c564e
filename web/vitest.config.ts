import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'web',
    include: ['test/**/*.test.ts', 'src/**/*.test.ts'],
    globalSetup: 'test/support/shop.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
