import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NextConfig } from 'next';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const config: NextConfig = {
  // One directory that runs by itself: what `npm start` and the container serve.
  output: 'standalone',
  outputFileTracingRoot: root,
  // Pictures are drawn and served as they are; the optimiser and its native libraries stay out.
  images: { unoptimized: true },
  outputFileTracingExcludes: { '/*': ['node_modules/@img/**', 'node_modules/sharp/**'] },
  poweredByHeader: false,
  turbopack: { root },
  // `npm run check` has the types checked, once.
  typescript: { ignoreBuildErrors: true },
};

export default config;
