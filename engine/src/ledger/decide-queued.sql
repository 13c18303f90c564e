-- Purpose: the part of a decision that concerns orders which stand in the queue: each becomes CONFIRMED, RESERVED or
-- REJECTED, with its journal row, and a rejected one with its attempt. Part of decide(), under its lock of the stock row.
-- Locks: the orders' rows. Indexes: orders_pkey.
create or replace function decide_queued(
  p_sale sales,
  p_order_ids uuid[],
  p_entrances text[],
  p_outcomes text[],
  p_prizes boolean[],
  p_waited_us integer[],
  p_expires_at timestamptz,
  p_at timestamptz
) returns void language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  with decided as materialized (
    select order_id, waited_us, prize,
           case outcome when 'confirmed' then 'CONFIRMED' when 'reserved' then 'RESERVED' else 'REJECTED' end as status,
           case when outcome not in ('confirmed', 'reserved') then outcome end as reason
    from unnest(p_order_ids, p_entrances, p_outcomes, p_prizes, p_waited_us)
         as r (order_id, entrance, outcome, prize, waited_us)
    where entrance = 'queued' and outcome in ('confirmed', 'reserved', 'sale-not-open', 'limit-reached', 'sold-out')
  ), moved as (
    update orders o
    set status = d.status, reason = d.reason, seq = o.seq + 1, prize = d.prize,
        expires_at = case when d.status = 'RESERVED' then p_expires_at end
    from decided d
    where o.sale_id = p_sale.sale_id and o.order_id = d.order_id and o.status = 'QUEUED'
    returning o.*, d.waited_us
  ), to_journal as (
    insert into journal (sale_id, order_id, seq, from_status, to_status, quantity, reason, prize, at)
    select sale_id, order_id, seq, 'QUEUED', status, quantity, reason, prize, p_at from moved
  )
  insert into attempts (sale_id, product_id, shopper_id, order_id, quantity, outcome, answered_at, duration_us)
  select sale_id, p_sale.product_id, shopper_id, order_id, quantity, reason, p_at, waited_us
  from moved where status = 'REJECTED';
  perform announce_orders(p_sale.sale_id);
end $$;
