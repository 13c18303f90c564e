-- Purpose: accept a batch of orders of one sale into the queue. Each becomes a QUEUED order with its journal row and its
-- attempt, which a worker decides later. Acceptance takes no stock and so no lock of the sale: it never waits for
-- decisions. This function checks by the database's clock whether the sale is open; an order that it accepts counts as in
-- time, even if it is decided after the sale's end.
--
-- Locks: only the new rows and their entries in orders_pkey and orders_one_per_intent, taken in the order of the ids, so
-- that two batches with the same ids cannot deadlock. A purchase with the same id may add its order at the same moment,
-- so a conflict may be with either. Indexes: sales_pkey, orders_one_per_intent.
create or replace function accept(
  p_sale_id bigint,
  p_order_ids uuid[],      -- one element per request in each array, in order of arrival
  p_shopper_ids text[],
  p_quantities integer[],
  p_payment_methods text[],
  p_waited_us integer[],
  p_payment_digests text[] default null, -- as in decide()
  p_address_digests text[] default null
) returns table (
  outcomes text[],          -- queued | replayed | key-reused | sale-not-open | limit-reached
  orders_found jsonb,       -- the orders of the queued and replayed requests
  accepted_at timestamptz
) language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
#variable_conflict use_column
declare
  v_sale sales;
  v_is_open boolean;
  v_new bigint[]; -- positions of the requests that became orders
begin
  select * into strict v_sale from sales where sale_id = p_sale_id;
  accepted_at := clock_timestamp();
  v_is_open := v_sale.status = 'active' and accepted_at >= v_sale.starts_at and accepted_at < v_sale.ends_at;

  if v_is_open then
    with asked as materialized (
      select distinct on (r.order_id) r.*
      from unnest(p_order_ids, p_shopper_ids, p_quantities, p_payment_methods, p_waited_us, p_payment_digests,
                  p_address_digests)
           with ordinality as r (order_id, shopper_id, quantity, method, waited_us, payment_digest, address_digest, position)
      where r.quantity <= v_sale.per_user_limit
      order by r.order_id, r.position
    ), to_orders as (
      insert into orders (sale_id, order_id, shopper_id, quantity, price_minor, total_minor, entrance, status,
                          payment_method, payment_digest, address_digest, created_at)
      select p_sale_id, order_id, shopper_id, quantity, v_sale.price_minor, quantity * v_sale.price_minor, 'queued',
             'QUEUED', method, case when v_sale.per_payment_limit is not null then payment_digest end,
             case when v_sale.per_address_limit is not null then address_digest end, accepted_at
      from asked
      on conflict do nothing
      returning order_id, quantity
    ), to_journal as (
      insert into journal (sale_id, order_id, seq, from_status, to_status, quantity, at)
      select p_sale_id, order_id, 1, 'NEW', 'QUEUED', quantity, accepted_at from to_orders
    ), to_attempts as (
      insert into attempts (sale_id, product_id, shopper_id, order_id, quantity, outcome, answered_at, duration_us)
      select p_sale_id, v_sale.product_id, a.shopper_id, o.order_id, o.quantity, 'queued', accepted_at, a.waited_us
      from to_orders o join asked a on a.order_id = o.order_id
    )
    select array_agg(a.position) into v_new from to_orders o join asked a on a.order_id = o.order_id;
  end if;

  -- As a separate statement it sees the orders that other transactions have committed meanwhile.
  select array_agg(case
           when o.order_id is null and not v_is_open then 'sale-not-open'
           when o.order_id is null then 'limit-reached'
           when r.is_new then 'queued'
           -- It came before the request with the same id that became the order, and its own quantity was above the limit.
           when r.position < r.new_position then 'limit-reached'
           when not (o.shopper_id = r.shopper_id and o.quantity = r.quantity and o.entrance = 'queued'
                     and o.product_id = v_sale.product_id) then 'key-reused'
           else 'replayed' end order by r.position),
         jsonb_object_agg(o.order_id, o.view) filter (where o.order_id is not null)
  into outcomes, orders_found
  from (
    select r.*, min(r.position) filter (where r.is_new) over (partition by r.order_id) as new_position
    from (
      select r.*, r.position = any (v_new) as is_new
      from unnest(p_order_ids, p_shopper_ids, p_quantities) with ordinality as r (order_id, shopper_id, quantity, position)
    ) r
  ) r
  left join lateral (
    select o.order_id, o.shopper_id, o.quantity, o.entrance, s.product_id, order_json(o) as view
    from orders o join sales s on s.sale_id = o.sale_id where o.order_id = r.order_id limit 1
  ) o on true;
  -- For orders that exist already, this transaction writes nothing, and without a write COMMIT does not wait for the
  -- standbys. decide() and settle() need no such call, because locking the stock row is a write.
  if 'replayed' = any (outcomes) then
    perform await_standby();
  end if;
  return next;
end $$;
