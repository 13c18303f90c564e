import type { Metrics } from '../../platform/telemetry/metrics.js';
import { endpointStates } from '../../webhooks/backlog.js';
import type { Parts } from '../parts.js';

/** What is told to other systems: counted by the scheduler that sends it, and how far behind it is from every process. */
export function showWebhooks({ counter, gauge }: Metrics, { instruments, readings }: Parts): void {
  counter(
    {
      name: 'doorbuster_webhook_tries_total',
      help: 'Tries to deliver a webhook, by what came of them',
      labels: ['outcome'],
    },
    () => instruments.webhookTries.entries().map(([outcome, count]) => [{ outcome }, count]),
  );
  gauge(
    {
      name: 'doorbuster_webhook_oldest_pending_seconds',
      help: 'How long the oldest delivery has waited that has not arrived and is still tried',
    },
    async () => {
      const backlog = await readings.webhooks.get();
      return backlog ? [[{}, backlog.oldestPendingMs / 1000]] : [];
    },
  );
  gauge(
    {
      name: 'doorbuster_webhook_endpoints',
      help: 'Webhooks that are enabled, and those that are disabled by why they are',
      labels: ['state'],
    },
    async () => {
      const backlog = await readings.webhooks.get();
      return backlog ? endpointStates.map(state => [{ state }, backlog.endpoints[state]]) : [];
    },
  );
}
