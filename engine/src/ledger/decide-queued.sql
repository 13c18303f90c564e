-- Purpose: write the decisions of queued orders. Each becomes CONFIRMED, RESERVED or REJECTED, with its journal row; a
-- rejected one also gets its attempt. Part of decide(), under its lock of the stock row. Locks: the orders' rows. Index:
-- orders_one_per_intent.
--
-- The update names the orders only by their ids, and the status by a variable, so that no other index can serve it. With
-- the sale and the status spelled out, a plan made without statistics read every queued order of the sale for each order
-- of the batch: 4 to 7 s for a batch of 500 with 30,000 orders queued. If the guards leave out any order, the function
-- fails.
create or replace function decide_queued(
  p_sale sales,
  p_order_ids uuid[],
  p_entrances text[],
  p_outcomes text[],
  p_prizes boolean[],
  p_waited_us integer[],
  p_expires_at timestamptz,
  p_at timestamptz
) returns integer -- how many orders it moved
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_from constant text := 'QUEUED';
  v_decided integer;
  v_moved integer;
begin
  with decided as materialized (
    select order_id, waited_us, prize,
           case outcome when 'confirmed' then 'CONFIRMED' when 'reserved' then 'RESERVED' else 'REJECTED' end as status,
           case when outcome not in ('confirmed', 'reserved') then outcome end as reason
    from unnest(p_order_ids, p_entrances, p_outcomes, p_prizes, p_waited_us)
         as r (order_id, entrance, outcome, prize, waited_us)
    where entrance = 'queued' and outcome in ('confirmed', 'reserved', 'sale-not-open', 'limit-reached', 'sold-out',
                                              'payment-limit-reached', 'address-limit-reached',
                                              'decline-limit-reached')
  ), moved as (
    update orders o
    set status = d.status, reason = d.reason, seq = o.seq + 1, prize = d.prize,
        expires_at = case when d.status = 'RESERVED' then p_expires_at end
    from decided d
    where o.order_id = d.order_id and o.status = v_from
    returning o.*, d.waited_us
  ), to_journal as (
    insert into journal (sale_id, order_id, seq, from_status, to_status, quantity, reason, prize, at)
    select sale_id, order_id, seq, v_from, status, quantity, reason, prize, p_at from moved
  ), to_attempts as (
    insert into attempts (sale_id, product_id, shopper_id, order_id, quantity, outcome, answered_at, duration_us)
    select sale_id, p_sale.product_id, shopper_id, order_id, quantity, reason, p_at, waited_us
    from moved where status = 'REJECTED'
  )
  select (select count(*) from decided), (select count(*) from moved where sale_id = p_sale.sale_id)
  into v_decided, v_moved;
  if v_moved <> v_decided then
    raise check_violation using message =
      format('%s of %s decided queued orders could be moved', v_moved, v_decided);
  end if;
  return v_moved;
end $$;
