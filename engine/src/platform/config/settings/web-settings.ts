import { z } from 'zod';
import { boolean, secret } from '../fields.js';

/** Where the pages come from. */
export const webSettings = {
  WEB_URL: z
    .string()
    .regex(/^https?:\/\/[^\s/]+$/, 'expected http://host:port')
    .optional()
    .describe(
      'the web process, to which requests for pages are forwarded; unless set, `api` serves no pages. `start` runs its own and fills this in',
    ),
  WEB_KEY: secret().describe(
    'secret that exempts the web process from the limits per address, and grants nothing else; unless set, `start` generates one',
  ),
  WEB_ENABLED: boolean('true').describe('`false`: `start` serves only the API'),
};
