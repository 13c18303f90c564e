import { z } from 'zod';
import { boolean, integer } from '../fields.js';

/** How a process runs and ends. */
export const processSettings = {
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('`production` wants `IDENTITY` spelled out, and has other defaults where this page says so'),
  HOST: z.string().min(1).default('127.0.0.1').describe('where the API listens'),
  PORT: integer(3000, 0, 65_535).describe('where the API listens; 0 is a free one'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('of the JSON lines on stderr'),
  DATA_DIR: z
    .string()
    .min(1)
    .default('.doorbuster')
    .describe('secrets that are not set, what the sandbox has charged, and the embedded database'),
  DRAIN_DELAY_MS: integer(1000, 0, 120_000).describe(
    'how long a stop goes on listening, not ready and answering 503, until load balancers have noticed',
  ),
  DRAIN_TIMEOUT_MS: integer(10_000, 1, 600_000).describe(
    'how long a stop may wait for what is under way; twice that, after the delay, in all',
  ),
  FAULTS_ENABLED: boolean().describe(
    '`true`: operators may set [faults on demand](rehearsals.md#faults-on-demand); refused with `NODE_ENV=production`',
  ),
  // On unless it is production: a load belongs there only where somebody wants it.
  ENABLE_REHEARSAL: z
    .enum(['true', 'false'])
    .transform(text => text === 'true')
    .optional()
    .describe(
      'operators may start [rehearsals](rehearsals.md#rehearsals); unless set `true`, and `false` with `NODE_ENV=production`',
    ),
  // The program of the load generator; the one beside the engine unless set.
  LOADGEN_PATH: z
    .string()
    .min(1)
    .optional()
    .describe(
      'the program of the load generator, `loadgen/dist/main.js`; unless set the one beside the engine',
    ),
  // RFC 9116 wants a URI. Without one there is no security.txt: a made-up contact is worse than none.
  SECURITY_CONTACT: z
    .string()
    .regex(/^(mailto:[^\s@]+@[^\s@]+|https:\/\/[^\s]+|tel:\+[\d-]+)$/, 'expected mailto:, https:// or tel:+')
    .optional()
    .describe(
      'whom to tell of a weakness, in `/.well-known/security.txt` (RFC 9116); without it there is none',
    ),
};
