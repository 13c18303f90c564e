import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NextConfig } from 'next';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const config: NextConfig = {
  // One directory that runs by itself: what `npm start` and the container serve.
  output: 'standalone',
  outputFileTracingRoot: root,
  // Pictures are served as they are, so that Next's optional image library, which is LGPL, is not in the lockfile.
  images: { unoptimized: true },
  poweredByHeader: false,
  // The engine confines pages and compresses them, once for everybody that it shows them to.
  compress: false,
  turbopack: { root },
  // `npm run check` has the types checked, once.
  typescript: { ignoreBuildErrors: true },
};

export default config;
