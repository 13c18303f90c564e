import type { Config } from '../config/config.js';
import type { Tracing } from './tracing.js';

type TracingSettings = Pick<
  Config,
  | 'OTEL_EXPORTER_OTLP_ENDPOINT'
  | 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'
  | 'OTEL_TRACES_SAMPLER'
  | 'OTEL_TRACES_SAMPLER_ARG'
  | 'DECISION_BATCH_MAX'
>;

/**
 * Starts OpenTelemetry if an endpoint is set. Without one, no code of it is loaded.
 *
 * @param roles the roles of this process, to show with its spans.
 * @param onTrouble called if spans could not be delivered, at most once a minute.
 */
export async function startTracing(
  config: TracingSettings,
  roles: readonly string[],
  onTrouble: (error: unknown) => void,
): Promise<Tracing | undefined> {
  const url = endpointOf(config);
  if (url === undefined) return undefined;
  const { createOpenTelemetry } = await import('./open-telemetry.js');
  return createOpenTelemetry({
    url,
    roles,
    sampler: config.OTEL_TRACES_SAMPLER,
    ratio: config.OTEL_TRACES_SAMPLER_ARG,
    linksMax: config.DECISION_BATCH_MAX,
    onTrouble,
  });
}

/** The endpoint for traces is used as it is; to the general endpoint the path is added, as OTLP specifies. */
function endpointOf({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT }: TracingSettings) {
  if (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  return OTEL_EXPORTER_OTLP_ENDPOINT && `${OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/$/, '')}/v1/traces`;
}
