import { z } from 'zod';
import { boolean, httpAddress, integer } from '../fields.js';

/** What those who operate it may look at. */
export const telemetrySettings = {
  SLOW_REQUEST_MS: integer(100, 0, 60_000),
  // Off: a second process on this machine would find the port taken, and nobody has said who may read it.
  ENABLE_METRICS: boolean(),
  // The port that Prometheus' list of exporters has for applications which export by themselves.
  METRICS_PORT: integer(9464, 0, 65_535),
  // Whoever reaches it can read it, so it is opened to others by name.
  METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  // OpenTelemetry's own names. What else it calls OTEL_ its SDK reads by itself.
  OTEL_EXPORTER_OTLP_ENDPOINT: httpAddress(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpAddress(),
  OTEL_TRACES_SAMPLER: z
    .enum([
      ...(['always_on', 'always_off', 'traceidratio'] as const),
      ...(['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const),
    ])
    .default('parentbased_always_on'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d{1,9})?|1(\.0{1,9})?|\.\d{1,9})$/, 'expected a part of all, from 0 to 1')
    .transform(Number)
    .default(1),
  // Narrower than what Sentry's library reads, which turns itself off without a word where it can not.
  SENTRY_DSN: z
    .string()
    .regex(/^https?:\/\/\w+@[\w.-]+(:\d+)?(\/[\w./-]*)?\/\d+$/, 'expected https://key@host/project')
    .optional(),
};
