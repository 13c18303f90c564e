import { z } from 'zod';
import { boolean, integer } from '../fields.js';

/** How a process runs and ends. */
export const processSettings = {
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: integer(3000, 0, 65_535),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  DATA_DIR: z.string().min(1).default('.doorbuster'),
  DRAIN_DELAY_MS: integer(1000, 0, 120_000),
  DRAIN_TIMEOUT_MS: integer(10_000, 1, 600_000),
  FAULTS_ENABLED: boolean(),
  // On unless it is production: a load belongs there only where somebody wants it.
  ENABLE_REHEARSAL: z
    .enum(['true', 'false'])
    .transform(text => text === 'true')
    .optional(),
  // The program of the load generator; the one beside the engine unless set.
  LOADGEN_PATH: z.string().min(1).optional(),
  // RFC 9116 wants a URI. Without one there is no security.txt: a made-up contact is worse than none.
  SECURITY_CONTACT: z
    .string()
    .regex(/^(mailto:[^\s@]+@[^\s@]+|https:\/\/[^\s]+|tel:\+[\d-]+)$/, 'expected mailto:, https:// or tel:+')
    .optional(),
};
