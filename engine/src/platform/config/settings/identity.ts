import { z } from 'zod';
import { secret } from '../fields.js';

/** Who may call, and the secrets that say so. */
export const identitySettings = {
  IDENTITY: z.enum(['demo', 'trusted']).default('demo'),
  API_KEY: secret(),
  OPERATOR_TOKEN: secret(),
  SECRET_KEY: secret(),
};
