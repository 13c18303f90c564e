-- Purpose: record the payments that orders wait for, in the transaction that reserves them, so that after a crash the
-- reconciler still knows about each payment. The request itself pays at once; the reconciler asks from 5 s on, when the
-- request should be finished. Locks: only the new rows. Indexes: orders_one_per_intent; payments_one_pending refuses a
-- second pending payment. "limit 1" keeps each look-up an index probe: joined by sale and id, a plan made without
-- statistics read all orders of the sale, and with 20,000 of them a batch of 500 took a second.
create or replace function await_payments(
  p_sale_id bigint, p_order_ids uuid[], p_payment_ids uuid[], p_methods text[]
) returns void language sql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  with awaited as (
    insert into payments (payment_id, sale_id, order_id, amount_minor, currency, method, due_at)
    select r.payment_id, p_sale_id, r.order_id, o.total_minor, s.currency, coalesce(r.method, o.payment_method),
           clock_timestamp() + interval '5 seconds'
    from unnest(p_order_ids, p_payment_ids, p_methods) as r (order_id, payment_id, method)
    cross join lateral (select * from orders where order_id = r.order_id limit 1) o
    join sales s on s.sale_id = p_sale_id
    where r.payment_id is not null
    returning payment_id, amount_minor
  )
  insert into payment_journal (payment_id, seq, status, amount_minor)
  select payment_id, 1, 'PENDING', amount_minor from awaited
$$;
