-- Purpose: write down orders of one sale that were accepted while this database could not be asked, when only the queue
-- knew of them. The shopper has been told "accepted", so each becomes an order whose end can be seen: QUEUED if it was
-- received within the sale's window, REJECTED otherwise. What else stands against it (a pause, an end, the limit) is judged
-- by decide(), as for every queued order. An id that is an order already, of whatever kind, is left alone.
--
-- The order is as old as its row, so that whoever looks for forgotten orders does not take it for one; the attempt says in
-- duration_us how long before that it was received, as far as an integer goes (35 minutes).
--
-- Locks: none but the new rows and their entries in orders_pkey and orders_one_per_intent, taken in the order of the ids,
-- as accept() does. Indexes: sales_pkey, orders_one_per_intent.
drop function if exists accept_late(bigint, uuid[], text[], integer[], text[], timestamptz[]);
create or replace function accept_late(
  p_sale_id bigint,
  p_order_ids uuid[],           -- one element an order in each array
  p_shopper_ids text[],
  p_quantities integer[],
  p_payment_methods text[],
  p_received_at timestamptz[],  -- by a process's estimate of this database's clock
  p_payment_digests text[] default null, -- by what decide() shall count them, as there
  p_address_digests text[] default null
) returns void language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  v_sale sales;
  v_now constant timestamptz := clock_timestamp();
begin
  select * into strict v_sale from sales where sale_id = p_sale_id;

  with asked as materialized (
    select distinct on (r.order_id) r.order_id, r.shopper_id, r.quantity, r.method,
           case when v_sale.per_payment_limit is not null then r.payment_digest end as payment_digest,
           case when v_sale.per_address_limit is not null then r.address_digest end as address_digest,
           r.received_at >= v_sale.starts_at and r.received_at < v_sale.ends_at as is_in_time,
           least(greatest(extract(epoch from v_now - r.received_at) * 1000000, 0), 2147483647)::integer as waited_us
    from unnest(p_order_ids, p_shopper_ids, p_quantities, p_payment_methods, p_received_at, p_payment_digests,
                p_address_digests)
         with ordinality as r (order_id, shopper_id, quantity, method, received_at, payment_digest, address_digest, position)
    order by r.order_id, r.position
  ), to_orders as (
    insert into orders (sale_id, order_id, shopper_id, quantity, price_minor, total_minor, entrance, status, reason, seq,
                        payment_method, payment_digest, address_digest, created_at)
    select p_sale_id, order_id, shopper_id, quantity, v_sale.price_minor, quantity * v_sale.price_minor, 'queued',
           case when is_in_time then 'QUEUED' else 'REJECTED' end,
           case when not is_in_time then 'sale-not-open' end,
           case when is_in_time then 1 else 2 end,
           method, payment_digest, address_digest, v_now
    from asked
    on conflict do nothing
    returning order_id, shopper_id, quantity, status, reason
  ), to_journal as (
    insert into journal (sale_id, order_id, seq, from_status, to_status, quantity, reason, at)
    select p_sale_id, order_id, 1, 'NEW', 'QUEUED', quantity, null, v_now from to_orders
    union all
    select p_sale_id, order_id, 2, 'QUEUED', status, quantity, reason, v_now from to_orders where status = 'REJECTED'
  )
  insert into attempts (sale_id, product_id, shopper_id, order_id, quantity, outcome, answered_at, duration_us)
  select p_sale_id, v_sale.product_id, o.shopper_id, o.order_id, o.quantity, told.outcome, v_now, a.waited_us
  from to_orders o
  join asked a on a.order_id = o.order_id
  cross join lateral (select 'queued' as outcome union all select o.reason where o.status = 'REJECTED') told;
end $$;
