import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NextConfig } from 'next';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const security = {
  // Next writes what a page was rendered from into scripts of the page itself, different ones each time, so that inline
  // scripts can not be told by their hash. Pictures may come from wherever an operator keeps them.
  'Content-Security-Policy': [
    "default-src 'self'",
    "script-src 'self' 'unsafe-inline'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: https:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

const config: NextConfig = {
  headers: async () => [
    { source: '/:path*', headers: Object.entries(security).map(([key, value]) => ({ key, value })) },
  ],
  // One directory that runs by itself: what `npm start` and the container serve.
  output: 'standalone',
  outputFileTracingRoot: root,
  // Pictures are served as they are, so that Next's optional image library, which is LGPL, is not in the lockfile.
  images: { unoptimized: true },
  poweredByHeader: false,
  turbopack: { root },
  // `npm run check` has the types checked, once.
  typescript: { ignoreBuildErrors: true },
};

export default config;
