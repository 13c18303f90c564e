import { messageOf } from '../../dist/platform/errors.js';
import { until } from '../until.js';
import type { Complain } from './desk.js';
import type { Shop } from './shop.js';

/** Due work of the periodic jobs: what it is, and how many items. */
const due = `
  select 'holds that have lapsed' as what, count(*)::integer as count
    from orders where status = 'RESERVED' and expires_at < clock_timestamp()
  union all select 'orders in the queue', count(*) from orders where status = 'QUEUED'
  union all select 'payments without a known outcome', count(*) from payments where status in ('PENDING', 'REFUND_DUE')
  union all select 'sales that have begun', count(*)
    from sales where opened_at is null and status <> 'ended' and starts_at <= clock_timestamp()
  union all select 'sales that are over', count(*)
    from sales where status <> 'ended' and ends_at <= clock_timestamp() - interval '1 minute'
  union all select 'events without a webhook', count(*)
    from journal j where to_status in ('CONFIRMED', 'REFUNDED') and at > clock_timestamp() - interval '2 hours'
      and not exists (select from webhook_events where subject = j.order_id::text)
  union all select 'webhooks that are due', count(*)
    from webhook_deliveries join webhook_endpoints e using (endpoint_id)
    where webhook_deliveries.status = 'pending' and e.status = 'enabled' and due_at <= clock_timestamp()
  union all select 'dead letters without compensation', count(*) from dead_letters where status = 'NEW'`;

/**
 * What depends on days is checked less often: each partition of attempts, the audit trail, and the sweep of webhooks
 * once a minute. The query reads the default partition through its table, in the order in which the engine locks both
 * when it drops a partition.
 */
const dueDaily = (keptDays: number) => `
  select 'days of attempts without a partition' as what, count(*)::integer as count
    from generate_series(0, 2) as ahead,
         to_char((clock_timestamp() at time zone 'UTC')::date + ahead, '"attempts_"YYYYMMDD') as name
    where to_regclass(name) is null
  union all select 'attempts in the default partition', count(*) from attempts where tableoid = 'attempts_default'::regclass
  union all select 'attempts that are too old', count(*)
    from attempts where answered_at < (((clock_timestamp() at time zone 'UTC')::date - ${keptDays})::timestamp at time zone 'UTC')
  union all select 'actions of operators that are too old', count(*)
    from operator_actions where at < clock_timestamp() - interval '${keptDays} days'
  union all select 'events of webhooks that are a day too old', count(*)
    from webhook_events v where created_at < clock_timestamp() - interval '${keptDays + 1} days' and not exists (
      select from webhook_deliveries d join webhook_endpoints e using (endpoint_id)
      where d.event_id = v.event_id and d.status = 'pending' and e.status = 'enabled')`;

const dueLong = ['operator_sessions', 'operator_actions', 'spent_challenges', 'attempts']
  .map(table => `select '${table} that are never deleted' as what, count(*)::integer as count from ${table}`)
  .join(' union all ');

// The rarest job runs once a minute, and a busy machine is late.
const withinMs = { step: 60_000, day: 100_000 };

/** Waits until the jobs have done the work due after a step of the clock. Reports what is left after a minute. */
export function settleStep(shop: Shop, complain: Complain): Promise<void> {
  return settle(shop, complain, due, withinMs.step);
}

/** As settleStep, for work that is due once a day. */
export function settleDay(shop: Shop, complain: Complain, keptDays: number): Promise<void> {
  return settle(shop, complain, dueDaily(keptDays), withinMs.day);
}

/** As settleDay, for data with a limited lifetime to which nothing has been added for longer than that. */
export function settleLong(shop: Shop, complain: Complain): Promise<void> {
  return settle(shop, complain, dueLong, withinMs.day);
}

async function settle(shop: Shop, complain: Complain, query: string, timeoutMs: number): Promise<void> {
  let left: { what: string; count: number }[] = [];
  const isDone = async () => {
    left = (await shop.pool.query<{ what: string; count: number }>(query)).rows.filter(
      ({ count }) => count > 0,
    );
    return left.length === 0;
  };
  await until('all due work is done', isDone, timeoutMs).catch(error => {
    if (left.length === 0) complain(messageOf(error));
    for (const { what, count } of left) complain(`${what}: ${count}, after ${timeoutMs / 1000} s`);
  });
}

/** Waits until the engine has adopted the database's new time. */
export async function untilClockIsSeen({ call, clock }: Shop): Promise<void> {
  await until(
    'the engine sees the time',
    async () => {
      const { body } = await call('GET', '/api/products?limit=1');
      const seenMs = Date.parse(String(Object(body).now));
      return Math.abs(seenMs - clock.now().getTime()) < 2000;
    },
    withinMs.step,
  );
}
