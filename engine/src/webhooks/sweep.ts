import { eachItem } from '../platform/jobs/each-item.js';
import type { Run } from '../platform/jobs/job.js';
import type { Pool } from '../platform/postgres.js';

export type SweepOptions = { pool: Pool; retentionDays: number; eventsMax: number };

type Swept = 'events' | 'deliveries' | 'endpoints';

// A tenth of a second of work per step.
const rowsPerStepMax = 5000;

/**
 * Deletes events that are too old or too many, with their deliveries, and the remains of deleted endpoints. Deliveries that
 * still wait for an enabled endpoint stay. Works in steps, oldest first.
 */
export function createSweep({ pool, retentionDays, eventsMax }: SweepOptions): Run {
  const deletions: Record<Swept, () => Promise<{ rowCount: number | null }>> = {
    events: () =>
      pool.query(
        `delete from webhook_events where event_id in (
           select event_id from webhook_events e
           where (created_at < clock_timestamp() - make_interval(days => $1)
                  or position <= (select max(position) from webhook_events) - $2)
             and not exists (
               select from webhook_deliveries d join webhook_endpoints using (endpoint_id)
               where d.event_id = e.event_id and d.status = 'pending' and webhook_endpoints.status = 'enabled')
           order by position limit $3)`,
        [retentionDays, eventsMax, rowsPerStepMax],
      ),
    deliveries: () =>
      pool.query(
        `delete from webhook_deliveries where delivery_id in (
           select delivery_id from webhook_deliveries join webhook_endpoints e using (endpoint_id)
           where e.status = 'deleted' limit $1)`,
        [rowsPerStepMax],
      ),
    endpoints: () =>
      pool.query(
        `delete from webhook_endpoints e where status = 'deleted'
           and not exists (select from webhook_deliveries d where d.endpoint_id = e.endpoint_id)`,
      ),
  };
  const all: Swept[] = ['events', 'deliveries', 'endpoints'];
  return eachItem({
    kind: 'sweep of',
    keyOf: (swept: Swept) => swept,
    find: async except => all.filter(swept => !except.includes(swept)),
    roundMax: all.length,
    work: async swept => (await deletions[swept]()).rowCount ?? 0,
  });
}
