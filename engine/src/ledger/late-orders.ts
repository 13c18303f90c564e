import type { Queryable } from '../platform/postgres.js';

/** Orders that have waited longer than a minute to be decided, without those whose sale is paused. */
export type LateOrders = { count: number; oldestAgeMs: number };

// A worker decides a second's backlog in a second; after a minute the ledger, the queue or a worker is in trouble.
const lateAfterMs = 60_000;
// Above this, the exact number does not help an operator, and every read would cost more.
const countMax = 10_000;

/** At most 10,000 are counted. Locks: none. Index: orders_queued_by_age. */
export async function readLateOrders(db: Queryable): Promise<LateOrders> {
  const { rows } = await db.query<LateOrders>({
    name: 'read-late-orders',
    text: `select count(*) as count,
                  coalesce(extract(epoch from statement_timestamp() - min(created_at)), 0)::float8 * 1000 as "oldestAgeMs"
           from (${olderThan('$1')} order by o.created_at limit $2) late`,
    values: [lateAfterMs, countMax],
  });
  return rows[0] ?? { count: 0, oldestAgeMs: 0 };
}

/**
 * Makes dead letters of orders that have waited longer than `waitMaxMs`, oldest first, at most `limit`. The wait of a
 * replayed order counts from its replay.
 *
 * @returns how many. Locks: only the new rows. Indexes: orders_queued_by_age, journal_pkey, dead_letters_one_open.
 */
export async function buryOverdueOrders(db: Queryable, waitMaxMs: number, limit: number): Promise<number> {
  const { rowCount } = await db.query({
    name: 'bury-overdue-orders',
    text: `insert into dead_letters (sale_id, order_id, source, reason, error, deliveries)
           select sale_id, order_id, 'queue', 'waited-too-long', 'It was not decided within QUEUED_ORDER_WAIT_MAX_MINUTES.', 0
           from (
             ${olderThan('$1')}
               and (select max(at) from journal j where j.sale_id = o.sale_id and j.order_id = o.order_id)
                   < statement_timestamp() - $1 * interval '1 millisecond'
               and not exists (select from dead_letters d where d.order_id = o.order_id and d.source = 'queue'
                                                            and d.status in ('NEW', 'COMPENSATED'))
             order by o.created_at limit $2
           ) overdue
           on conflict (order_id, source) where status in ('NEW', 'COMPENSATED') do nothing`,
    values: [waitMaxMs, limit],
  });
  return rowCount ?? 0;
}

function olderThan(ageMs: string): string {
  return `select o.sale_id, o.order_id, o.created_at from orders o join sales s using (sale_id)
          where o.status = 'QUEUED' and o.created_at < statement_timestamp() - ${ageMs} * interval '1 millisecond'
            and s.status <> 'paused'`;
}
