import { z } from 'zod';
import { boolean, secret } from '../fields.js';

/** Where the pages come from. */
export const webSettings = {
  // Without it this API has no pages. `start` runs a web process of its own and fills it in.
  WEB_URL: z
    .string()
    .regex(/^https?:\/\/[^\s/]+$/, 'expected http://host:port')
    .optional()
    .describe(
      'where pages are forwarded to; without it an API has none, but for `start`, which runs a web process of its own',
    ),
  // What the web process presents so that the limits per address do not count for it; `start` makes one up.
  WEB_KEY: secret().describe(
    'what the web process presents, so that the limits per address do not count for it; good for nothing else. `start` makes one up unless set',
  ),
  // For an engine that serves an API alone.
  WEB_ENABLED: boolean('true').describe('`false`: `start` serves the API alone'),
};
