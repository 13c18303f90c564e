import type { Run } from '../platform/jobs/job.js';
import { inTransaction, type Pool } from '../platform/postgres.js';

export type TellWebhooksOptions = {
  pool: Pool;
  /** Deliveries that may wait for one endpoint; further ones fail at once and can be replayed. */
  pendingMax: number;
};

// About 0.2 s of work in one transaction, for which no purchase waits.
const changesMax = 10_000;
// Each pass reads everything new. After a day without a scheduler that is ten million rows; with the timeout of purchases,
// such a pass would fail forever.
const passTimeoutMs = 60_000;

/**
 * Turns new rows of the journals into events, and each event into one delivery for each endpoint that subscribes to it, in
 * the transaction that moves the cursor: no event is missed or sent twice.
 *
 * @returns how many changes were read; the maximum means that there may be more.
 */
export function createTellWebhooks({ pool, pendingMax }: TellWebhooksOptions): Run {
  let passesOverAtMs = 0;
  return async () => {
    const { rowCount } = await pool.query(`select from webhook_endpoints where status <> 'deleted' limit 1`);
    if (rowCount === 0) {
      if (performance.now() < passesOverAtMs) return 0;
      passesOverAtMs = performance.now() + passOverEveryMs;
      await pool.query(passOver);
      return 0;
    }
    return inTransaction(pool, async tx => {
      // If two relays run at once, the second continues where the first ended. This is a separate statement, because
      // the next one's snapshot must be younger than this lock.
      await tx.query('select from webhook_cursor for update');
      // Index scans, whatever the statistics say about these fast-growing tables: by time, and an order by its key.
      await tx.query(`set local enable_seqscan = off; set local statement_timeout = ${passTimeoutMs}`);
      const pass = {
        name: 'tell-webhooks',
        text: relay,
        values: [changesMax, pendingMax],
        query_timeout: passTimeoutMs + 1000,
      };
      const { rows } = await tx.query<{ changes: number }>(pass);
      const changes = rows[0]?.changes ?? 0;
      return changes >= changesMax ? changes : 0;
    });
  };
}

// The first endpoint has at most a minute of changes to catch up on, and a write a minute costs almost nothing.
const passOverEveryMs = 60_000;

/** Moves the cursor past changes without an endpoint, like a pass that has read everything; see below. */
const passOver = `
  update webhook_cursor w
  set below = s.horizon,
      since = case when is_passed then w.mark_at else w.since end,
      mark = case when is_passed then s.newest else w.mark end,
      mark_at = case when is_passed then now() else w.mark_at end
  from (select pg_snapshot_xmin(v) as horizon, pg_snapshot_xmax(v) as newest from pg_current_snapshot() v) s,
       lateral (select s.horizon >= mark or mark > s.newest as is_passed from webhook_cursor) as m`;

/** The full id of the transaction that wrote a row: `xmin` has its last 32 bits, and is less than 2^31 behind. */
const writtenBy = (alias: string) => `(s.newest - ((s.newest - ${alias}.xmin::text::bigint) & 4294967295))`;

const iso = (time: string) => `to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/*
 * Purpose: read the next changes from the journals, write their events, move the cursor.
 *
 * A row is read once its transaction is below the horizon of this statement's snapshot. The horizon is the oldest running
 * transaction: all transactions below it have ended, and their commits are visible here. So no row can appear below the
 * cursor later, in whatever order transactions commit (docs/decisions/0026). Rows are read by transaction id, and those of
 * one transaction together.
 *
 * "since" only avoids reading old rows. A transaction has its id before it reads the clock for its rows; the margin allows
 * for a clock that is set back. A cursor ahead of every id comes from another cluster, from whose dump this database
 * was restored: then only "since" decides what is new, and events that were already written are recognised by their
 * subject.
 *
 * Locks: the cursor's row, by the statement before. Indexes: journal_by_time, sale_journal_by_time, orders_pkey, sales_pkey,
 * products_pkey.
 */
const relay = `
  with s as materialized (
    select pg_snapshot_xmin(now_visible)::text::bigint as horizon, pg_snapshot_xmax(now_visible)::text::bigint as newest
    from pg_current_snapshot() as now_visible
  ), c as materialized (
    select case when below::text::bigint > s.newest then 0 else below::text::bigint end as below,
           mark::text::bigint as mark, mark_at, since
    from webhook_cursor, s
  ), change as materialized (
    select * from (
      select ${writtenBy('j')} as tx, j.sale_id, j.order_id, j.to_status, j.reason, j.prize, j.at
      from journal j, s
      where j.at >= (select since from c) - interval '5 seconds' and j.to_status in ('CONFIRMED', 'REFUNDED')
      union all
      select ${writtenBy('j')}, j.sale_id, null, j.to_status, null, null, j.at
      from sale_journal j, s
      where j.at >= (select since from c) - interval '5 seconds' and j.to_status = 'open'
        -- A sale that is paused and resumed opens only once.
        and not exists (select from sale_journal e where e.sale_id = j.sale_id and e.to_status = 'open' and e.seq < j.seq)
    ) as written
    where tx >= (select below from c) and tx < (select horizon from s)
    order by tx fetch first $1 rows with ties
  ), event as (
    select 'order.' || lower(c.to_status) as type, c.order_id::text as subject, c.at, jsonb_build_object(
             'orderId', o.order_id, 'saleId', o.sale_id, 'productId', p.product_id, 'shopperId', o.shopper_id,
             'quantity', o.quantity, 'totalPriceMinor', o.total_minor, 'currency', p.currency, 'status', c.to_status,
             'reason', c.reason, 'prize', c.prize) as data
    from change c
    join orders o on o.sale_id = c.sale_id and o.order_id = c.order_id
    join sales p on p.sale_id = c.sale_id
    where c.order_id is not null
    union all
    select 'sale.opened', c.sale_id::text, c.at, jsonb_build_object(
             'saleId', p.sale_id, 'productId', p.product_id, 'allocation', k.allocation,
             'startsAt', ${iso('p.starts_at')}, 'endsAt', ${iso('p.ends_at')})
    from change c join sales p on p.sale_id = c.sale_id join stock k on k.sale_id = c.sale_id
    where c.order_id is null
    union all
    -- A bought unit stays bought: once all are bought, the sale is sold out for good.
    select 'sale.sold_out', k.sale_id::text, c.at, jsonb_build_object(
             'saleId', p.sale_id, 'productId', p.product_id, 'allocation', k.allocation)
    from (select sale_id, max(at) as at from change where to_status = 'CONFIRMED' group by sale_id) c
    join stock k on k.sale_id = c.sale_id and k.sold = k.allocation join sales p on p.sale_id = c.sale_id
  ), told as (
    insert into webhook_events (type, subject, at, data)
    select type, subject, at, data from event
    where exists (select from webhook_endpoints e where e.status <> 'deleted' and event.type = any (e.events))
      -- A receiver must not ship the orders of a rehearsal.
      and not exists (select from products r where r.product_id = (event.data ->> 'productId')::bigint and r.is_rehearsal)
    on conflict (type, subject) do nothing
    returning event_id, type, at
  ), endpoint as materialized (
    select endpoint_id, events, created_at, (
             select count(*) from (
               select from webhook_deliveries d where d.endpoint_id = e.endpoint_id and d.status = 'pending' limit $2
             ) as pending) as pending
    from webhook_endpoints e where status <> 'deleted'
  ), delivery as (
    select e.endpoint_id, t.event_id,
           e.pending + row_number() over (partition by e.endpoint_id order by t.at) <= $2 as has_room
    from told t join endpoint e on t.type = any (e.events) and e.created_at <= t.at
  ), added as (
    insert into webhook_deliveries (endpoint_id, event_id, status, due_at, last_error)
    select endpoint_id, event_id, case when has_room then 'pending' else 'failed' end,
           case when has_room then clock_timestamp() end, case when not has_room then 'too many deliveries were waiting' end
    from delivery
  ), reached as (
    select case when count(*) < $1 then (select horizon from s) else max(tx) + 1 end as below, count(*) < $1 as is_all
    from change
  ), moved as (
    update webhook_cursor w
    set below = r.below::text::xid8,
        since = case when r.below >= c.mark then c.mark_at else c.since end,
        mark = case when c.is_passed then s.newest::text::xid8 else w.mark end,
        mark_at = case when c.is_passed then now() else w.mark_at end
    from reached r, s,
         lateral (select *, r.below >= mark or (mark > s.newest and r.is_all) as is_passed from c) as c
  )
  select count(*) as changes from change`;
