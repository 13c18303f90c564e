import type { Metrics } from '../../platform/telemetry/metrics.js';
import { endpointStates } from '../../webhooks/backlog.js';
import type { Parts } from '../parts.js';

/** Webhooks: attempts counted by the scheduler that makes them, and the backlog as every process reads it. */
export function showWebhooks({ counter, gauge }: Metrics, { instruments, readings }: Parts): void {
  counter(
    {
      name: 'doorbuster_webhook_tries_total',
      help: 'Attempts to deliver a webhook, by outcome',
      labels: ['outcome'],
    },
    () => instruments.webhookTries.entries().map(([outcome, count]) => [{ outcome }, count]),
  );
  gauge(
    {
      name: 'doorbuster_webhook_oldest_pending_seconds',
      help: 'Age of the oldest delivery that has not succeeded and is still retried',
    },
    async () => {
      const backlog = await readings.webhooks.get();
      return backlog ? [[{}, backlog.oldestPendingMs / 1000]] : [];
    },
  );
  gauge(
    {
      name: 'doorbuster_webhook_endpoints',
      help: 'Webhooks by state: enabled, or the reason why they are disabled',
      labels: ['state'],
    },
    async () => {
      const backlog = await readings.webhooks.get();
      return backlog ? endpointStates.map(state => [{ state }, backlog.endpoints[state]]) : [];
    },
  );
}
