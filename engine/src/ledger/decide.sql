-- Purpose: decide one batch of direct purchases of one sale, in arrival order, in one transaction.
--
-- Rule: first fit. A request is granted if it fits what is left after every request before it was decided. A refused
-- request takes nothing, so a later and smaller one may still fit.
--
-- A granted request is written with its attempt, so that no crash can keep the one and lose the other; refused attempts
-- are many, move nothing, and are written in bulk after the answer (attempts.ts).
--
-- Locks, in the order of the house: the sale's stock row, held to the end; then allowances, orders and journal, which
-- nobody writes for this sale without that lock. The lock is a statement of its own: each statement after it takes a
-- fresh snapshot and so sees what the holder before it committed. One statement for all would read the old allowances.
-- Indexes: stock_pkey, sales_pkey, orders_one_per_intent, allowances_pkey.
--
-- Lost: running sums over window functions instead of the loop. A refused request stays in such a sum and blocks the
-- smaller ones behind it; and the loop is a tenth of the statement's time, most goes into the rows written
-- (docs/decisions/0003-decide-in-batches.md).
create or replace function decide(
  p_sale_id bigint,
  p_order_ids uuid[],       -- one element a request in each array, in order of arrival
  p_shopper_ids text[],
  p_quantities integer[],
  p_waited_us integer[]     -- microseconds that each had waited when the batch was sent
) returns table (
  outcomes text[],          -- confirmed | replayed | key-reused | sale-not-open | limit-reached | sold-out
  replays jsonb,            -- the orders that the replayed requests have already, null if none
  price_minor bigint,       -- what a unit costs in this sale
  available_before integer, -- units available when the lock was taken
  allocation integer,
  available integer,
  reserved integer,
  sold integer,
  version bigint,
  decided_at timestamptz
) language plpgsql
-- A plan made while the tables were small must not scan them when they are large: index lookups alone qualify.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  v_stock stock;
  v_sale sales;
  v_request record;
  v_is_open boolean;
  v_left integer;
  v_granted integer;
  v_bought integer[] := array_fill(0, array[cardinality(p_order_ids)]); -- units per order, at its id's first position
  v_taken integer[] := array_fill(0, array[cardinality(p_order_ids)]);  -- units per buyer, at the buyer's first position
begin
  select * into strict v_stock from stock where sale_id = p_sale_id for update;
  select * into strict v_sale from sales where sale_id = p_sale_id;
  decided_at := clock_timestamp();
  v_is_open := v_sale.status = 'active' and decided_at >= v_sale.starts_at and decided_at < v_sale.ends_at;
  v_left := v_stock.available;
  outcomes := array_fill(null::text, array[cardinality(p_order_ids)]);

  for v_request in
    select r.position, r.quantity, coalesce(a.units, 0) as units_before,
           min(r.position) over (partition by r.shopper_id collate "C") as buyer_position,
           min(r.position) over (partition by r.order_id) as first_position,
           o.order_id is not null as is_known,
           o.shopper_id = r.shopper_id and o.quantity = r.quantity and o.product_id = v_sale.product_id as is_same
    from unnest(p_order_ids, p_shopper_ids, p_quantities)
         with ordinality as r (order_id, shopper_id, quantity, position)
    -- "limit 1" keeps each lookup an index probe per request, whatever the statistics say.
    left join lateral (
      select o.order_id, o.shopper_id, o.quantity, s.product_id
      from orders o join sales s on s.sale_id = o.sale_id
      where o.order_id = r.order_id limit 1
    ) o on true
    left join lateral (
      select a.units from allowances a where a.sale_id = p_sale_id and a.shopper_id = r.shopper_id limit 1
    ) a on true
    order by r.position
  loop
    outcomes[v_request.position] := case
      when v_request.is_known and v_request.is_same then 'replayed'
      when v_request.is_known then 'key-reused'
      when v_bought[v_request.first_position] = v_request.quantity then 'replayed'
      when v_bought[v_request.first_position] > 0 then 'key-reused'
      when not v_is_open then 'sale-not-open'
      when v_request.quantity > v_sale.per_user_limit then 'limit-reached'
      when v_request.quantity > v_left then 'sold-out'
      when v_request.units_before + v_taken[v_request.buyer_position] + v_request.quantity > v_sale.per_user_limit
        then 'limit-reached'
      else 'confirmed' end;
    if outcomes[v_request.position] = 'confirmed' then
      v_bought[v_request.first_position] := v_request.quantity;
      v_taken[v_request.buyer_position] := v_taken[v_request.buyer_position] + v_request.quantity;
      v_left := v_left - v_request.quantity;
    end if;
  end loop;

  price_minor := v_sale.price_minor;
  available_before := v_stock.available;
  v_granted := v_stock.available - v_left;
  if v_granted > 0 then
    with granted as materialized (
      select order_id, shopper_id, quantity, waited_us
      from unnest(p_order_ids, p_shopper_ids, p_quantities, p_waited_us, outcomes)
           as r (order_id, shopper_id, quantity, waited_us, outcome)
      where outcome = 'confirmed'
    ), to_allowances as (
      insert into allowances (sale_id, shopper_id, units)
      select p_sale_id, shopper_id, sum(quantity) from granted group by shopper_id
      on conflict (sale_id, shopper_id) do update set units = allowances.units + excluded.units
    ), to_orders as (
      insert into orders (sale_id, order_id, shopper_id, quantity, price_minor, total_minor, status, created_at)
      select p_sale_id, order_id, shopper_id, quantity, v_sale.price_minor, quantity * v_sale.price_minor,
             'CONFIRMED', decided_at
      from granted
    ), to_journal as (
      insert into journal (sale_id, order_id, seq, from_status, to_status, quantity, at)
      select p_sale_id, order_id, 1, 'NEW', 'CONFIRMED', quantity, decided_at from granted
    ), to_attempts as (
      insert into attempts (sale_id, product_id, shopper_id, order_id, quantity, outcome, answered_at, duration_us)
      select p_sale_id, v_sale.product_id, shopper_id, order_id, quantity, 'confirmed', decided_at,
             waited_us + extract(microseconds from decided_at - statement_timestamp())
      from granted
    )
    update stock
    set available = stock.available - v_granted, sold = stock.sold + v_granted, version = stock.version + 1
    where sale_id = p_sale_id
    returning * into strict v_stock;
    perform announce_stock(v_stock);
  end if;

  if 'replayed' = any (outcomes) then
    select jsonb_object_agg(o.order_id, jsonb_build_object(
      'saleId', o.sale_id, 'quantity', o.quantity, 'totalMinor', o.total_minor, 'status', o.status,
      'createdAt', o.created_at)) into replays
    from unnest(p_order_ids, outcomes) as r (order_id, outcome) join orders o on o.order_id = r.order_id
    where r.outcome = 'replayed';
  end if;
  allocation := v_stock.allocation;
  available := v_stock.available;
  reserved := v_stock.reserved;
  sold := v_stock.sold;
  version := v_stock.version;
  return next;
end $$;
