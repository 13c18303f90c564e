import { z } from 'zod';
import { boolean, integer } from '../fields.js';

/** What those who operate it may look at. */
export const telemetrySettings = {
  SLOW_REQUEST_MS: integer(100, 0, 60_000),
  // Off: a second process on this machine would find the port taken, and nobody has said who may read it.
  ENABLE_METRICS: boolean(),
  // The port that Prometheus' list of exporters has for applications which export by themselves.
  METRICS_PORT: integer(9464, 0, 65_535),
  // Whoever reaches it can read it, so it is opened to others by name.
  METRICS_HOST: z.string().min(1).default('127.0.0.1'),
};
