import { z } from 'zod';
import { boolean, httpAddress, integer } from '../fields.js';

/** What those who operate it may look at. */
export const telemetrySettings = {
  SLOW_REQUEST_MS: integer(100, 0, 60_000).describe(
    'an answer that takes longer is [logged](monitoring.md#logs); 0 is never',
  ),
  // Off: a second process on this machine would find the port taken, and nobody has said who may read it.
  ENABLE_METRICS: boolean().describe('`true`: each process shows its [metrics](monitoring.md#metrics)'),
  // The port that Prometheus' list of exporters has for applications which export by themselves.
  METRICS_PORT: integer(9464, 0, 65_535).describe(
    'where; not `PORT`. With `api --processes N` the ports from there on, one a process; 0 is a free one',
  ),
  // Whoever reaches it can read it, so it is opened to others by name.
  METRICS_HOST: z.string().min(1).default('127.0.0.1').describe('where; whoever reaches it can read them'),
  // OpenTelemetry's own names. What else it calls OTEL_ its SDK reads by itself.
  OTEL_EXPORTER_OTLP_ENDPOINT: httpAddress().describe(
    'where [traces](monitoring.md#traces) go, such as `http://collector:4318`; without it there are none',
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpAddress().describe('the same as the whole address, with its path'),
  OTEL_TRACES_SAMPLER: z
    .enum([
      ...(['always_on', 'always_off', 'traceidratio'] as const),
      ...(['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const),
    ])
    .default('parentbased_always_on')
    .describe('which traces are kept; `parentbased_`: as the client says, and so where it says nothing'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d{1,9})?|1(\.0{1,9})?|\.\d{1,9})$/, 'expected a part of all, from 0 to 1')
    .transform(Number)
    .default(1)
    .describe('the part that `traceidratio` keeps'),
  // Narrower than what Sentry's library reads, which turns itself off without a word where it can not.
  SENTRY_DSN: z
    .string()
    .regex(/^https?:\/\/\w+@[\w.-]+(:\d+)?(\/[\w./-]*)?\/\d+$/, 'expected https://key@host/project')
    .optional()
    .describe('where [errors](monitoring.md#errors) are reported; without it nowhere'),
};
