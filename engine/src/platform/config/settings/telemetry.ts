import { z } from 'zod';
import { boolean, integer } from '../fields.js';

/** What those who operate it may look at. */
export const telemetrySettings = {
  SLOW_REQUEST_MS: integer(100, 0, 60_000).describe(
    'an answer that takes longer is [logged](operate.md#logs); 0 is never',
  ),
  // Off: a second process on this machine would find the port taken, and nobody has said who may read it.
  ENABLE_METRICS: boolean().describe('`true`: each process shows its [metrics](operate.md#metrics)'),
  // The port that Prometheus' list of exporters has for applications which export by themselves.
  METRICS_PORT: integer(9464, 0, 65_535).describe(
    'where; not `PORT`. With `api --processes N` the ports from there on, one a process; 0 is a free one',
  ),
  // Whoever reaches it can read it, so it is opened to others by name.
  METRICS_HOST: z.string().min(1).default('127.0.0.1').describe('where; whoever reaches it can read them'),
};
