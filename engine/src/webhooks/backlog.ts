import { onlyRow } from '../platform/only-row.js';
import type { Queryable } from '../platform/postgres.js';

/** The state of a webhook: enabled, or the reason why it is disabled. */
export const endpointStates = ['enabled', 'by-operator', 'failing', 'gone'] as const;
type EndpointState = (typeof endpointStates)[number];

export type WebhookBacklog = {
  /** How long the oldest pending delivery has waited; 0 if none waits. */
  oldestPendingMs: number;
  endpoints: Record<EndpointState, number>;
};

/**
 * How far the receivers are behind. Index: webhook_deliveries_due, all of it: at most WEBHOOK_PENDING_MAX entries per
 * endpoint.
 */
export async function readWebhookBacklog(db: Queryable): Promise<WebhookBacklog> {
  const { rows } = await db.query<{ oldestPendingMs: number } & Record<EndpointState, number>>({
    name: 'webhook-backlog',
    text: `
      select count(*) filter (where status = 'enabled') as enabled,
             count(*) filter (where disabled_reason = 'by-operator') as "by-operator",
             count(*) filter (where disabled_reason = 'failing') as failing,
             count(*) filter (where disabled_reason = 'gone') as gone,
             coalesce(
               (select extract(epoch from clock_timestamp() - min(d.created_at)) * 1000
                from webhook_deliveries d join webhook_endpoints e using (endpoint_id)
                where d.status = 'pending' and e.status = 'enabled'), 0)::float8 as "oldestPendingMs"
      from webhook_endpoints`,
  });
  const { oldestPendingMs, ...endpoints } = onlyRow(rows, 'the backlog of webhooks');
  return { oldestPendingMs, endpoints };
}
