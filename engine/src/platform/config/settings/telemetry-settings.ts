import { z } from 'zod';
import { boolean, httpAddress, integer } from '../fields.js';

/** What operators can observe. */
export const telemetrySettings = {
  SLOW_REQUEST_MS: integer(100, 0, 60_000).describe(
    'a request that takes longer is [logged](monitoring.md#logs); 0 means never',
  ),
  // Off by default: a second process on this machine would find the port taken, and the operator decides who may read.
  ENABLE_METRICS: boolean().describe('`true`: each process serves its [metrics](monitoring.md#metrics)'),
  // The port that Prometheus' list of exporters assigns to applications that export metrics themselves.
  METRICS_PORT: integer(9464, 0, 65_535).describe(
    'port of the metrics; not `PORT`. `api --processes N` uses this port and those after it, one per process; 0 picks a free one',
  ),
  METRICS_HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('address of the metrics; every client that reaches it can read them'),
  // OpenTelemetry's own names. Its SDK reads the other OTEL_ variables itself.
  OTEL_EXPORTER_OTLP_ENDPOINT: httpAddress().describe(
    'where [traces](monitoring.md#traces) are sent, such as `http://collector:4318`; unless set, there are none',
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpAddress().describe(
    'the same, but as the full address with its path',
  ),
  OTEL_TRACES_SAMPLER: z
    .enum([
      ...(['always_on', 'always_off', 'traceidratio'] as const),
      ...(['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const),
    ])
    .default('parentbased_always_on')
    .describe("which traces are kept; `parentbased_` follows the client's decision if it sends one"),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d{1,9})?|1(\.0{1,9})?|\.\d{1,9})$/, 'expected a fraction from 0 to 1')
    .transform(Number)
    .default(1)
    .describe('the fraction that `traceidratio` keeps'),
  // Stricter than Sentry's library, which silently disables itself if it cannot parse the DSN.
  SENTRY_DSN: z
    .string()
    .regex(/^https?:\/\/\w+@[\w.-]+(:\d+)?(\/[\w./-]*)?\/\d+$/, 'expected https://key@host/project')
    .optional()
    .describe('where [errors](monitoring.md#errors) are reported; unless set, nowhere'),
};
