import { createMetrics } from '../../platform/telemetry/metrics.js';
import { type MetricsServer, serveMetrics } from '../../platform/telemetry/metrics-server.js';
import type { ApiFigures } from '../instruments.js';
import type { Parts } from '../parts.js';
import { showApi } from './show-api.js';
import { showJobs } from './show-jobs.js';
import { showOrders } from './show-orders.js';
import { showStores } from './show-stores.js';
import { showWebhooks } from './show-webhooks.js';

/** Shows a scraper what this process counts, on a separate port; returns undefined if ENABLE_METRICS is off. */
export async function startMetrics(
  parts: Parts,
  api: ApiFigures | undefined,
): Promise<MetricsServer | undefined> {
  const { config, logger } = parts;
  if (!config.ENABLE_METRICS) return undefined;
  const metrics = createMetrics();
  showOrders(metrics, parts);
  showStores(metrics, parts);
  showWebhooks(metrics, parts);
  showJobs(metrics, parts);
  if (api) showApi(metrics, parts, api);
  const server = await serveMetrics(metrics, { host: config.METRICS_HOST, port: config.METRICS_PORT });
  logger.info({ url: server.url }, 'metrics');
  return server;
}
