import { z } from 'zod';
import { boolean, integer } from '../fields.js';

/** How a process runs and ends. */
export const processSettings = {
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('`production` requires `IDENTITY` and changes some defaults, as this page says for each'),
  HOST: z.string().min(1).default('127.0.0.1').describe('address on which the API listens'),
  PORT: integer(3000, 0, 65_535).describe('port of the API; 0 picks a free one'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('lowest level of the JSON log lines on stderr'),
  DATA_DIR: z
    .string()
    .min(1)
    .default('.doorbuster')
    .describe('directory of generated secrets, the charges of the sandbox, and the embedded database'),
  WARM_UP_MS: integer(700, 0, 5000).describe(
    'how long a starting API sends itself purchases of a product that does not exist, so that the first rush runs compiled code; 0 turns this off',
  ),
  DRAIN_DELAY_MS: integer(1000, 0, 120_000).describe(
    'how long a stopping process keeps listening, not ready and answering 503, so that load balancers notice',
  ),
  DRAIN_TIMEOUT_MS: integer(10_000, 1, 600_000).describe(
    'how long a stopping process may wait for work in progress; after the delay, it ends within twice this time',
  ),
  FAULTS_ENABLED: boolean().describe(
    '`true`: operators may set [faults on demand](rehearsals.md#faults-on-demand); refused with `NODE_ENV=production`',
  ),
  // Off in production unless an operator asks for it: a load test there must be intentional.
  ENABLE_REHEARSAL: z
    .enum(['true', 'false'])
    .transform(text => text === 'true')
    .optional()
    .describe(
      'whether operators may start [rehearsals](rehearsals.md#rehearsals); unless set: `true`, or `false` with `NODE_ENV=production`',
    ),
  LOADGEN_PATH: z
    .string()
    .min(1)
    .optional()
    .describe(
      'the program of the load generator, `loadgen/dist/main.js`; unless set, the one next to the engine',
    ),
  // RFC 9116 requires a URI. Without one there is no security.txt: a made-up contact is worse than none.
  SECURITY_CONTACT: z
    .string()
    .regex(/^(mailto:[^\s@]+@[^\s@]+|https:\/\/[^\s]+|tel:\+[\d-]+)$/, 'expected mailto:, https:// or tel:+')
    .optional()
    .describe(
      'contact for vulnerability reports in `/.well-known/security.txt` (RFC 9116); unless set, there is no such file',
    ),
};
