-- Purpose: decide one batch of purchases of one sale, in order of arrival, in one transaction, for all three ways to buy.
-- A direct purchase is confirmed, or reserved until it is paid; a checkout is reserved behind its code; a queued order
-- exists already and is confirmed, reserved or rejected.
--
-- Rule: first fit. A request is granted if it fits what is left after all requests before it. A refused request takes
-- nothing, so a later and smaller one may still fit.
--
-- A granted request is written together with its attempt, so that a crash cannot keep one and lose the other. Refused
-- attempts are many and change no stock; they are written in bulk after the answer (attempts.ts). For a queued order,
-- a rejection is written here as well.
--
-- Locks, in the documented order: the sale's stock row, held to the end; then allowances, orders and journal. Without
-- that lock no transaction writes them for this sale, except accept.sql, which adds new orders. The lock is a separate
-- statement: each statement after it takes a fresh snapshot and so sees what the previous holder committed. A single
-- statement would read the old allowances. Orders are added in the order of their ids, before any row that refers to
-- them, as in accept.sql: if both have the same ids at once, one waits for the other and they cannot deadlock.
-- Indexes: stock_pkey, sales_pkey, orders_one_per_intent, allowances_pkey.
--
-- A sale that limits units per payment fingerprint or address also counts by those (digest-allowances.sql). For other
-- sales that costs no read and no write.
--
-- Rejected: running sums over window functions instead of the loop. A refused request stays in such a sum and blocks the
-- smaller ones behind it. The loop takes only a tenth of the statement's time; most goes into the rows written
-- (docs/decisions/0003-decide-in-batches.md).
create or replace function decide(
  p_sale_id bigint,
  p_order_ids uuid[],         -- one element per request in each array, in order of arrival
  p_shopper_ids text[],
  p_quantities integer[],
  p_waited_us integer[],      -- microseconds that each had waited when the batch was sent
  p_entrances text[],         -- direct | checkout | queued; null if all are direct
  p_payment_methods text[],   -- the payment method of each; null if no request states one
  p_payment_digests text[] default null, -- what each is counted by besides its shopper; null if the sale does not limit
  p_address_digests text[] default null  -- that; in a sale that does, a request without a digest gets nothing
) returns table (
  outcomes text[],          -- confirmed | reserved | replayed | key-reused | sale-not-open | limit-reached | sold-out
                            -- payment-limit-reached | address-limit-reached | decline-limit-reached
                            -- and also for queued orders: sale-paused (not decided) | order-not-found
  replays jsonb,            -- the existing orders of the replayed requests, null if none
  payment_ids uuid[],       -- the payment that a reserved order waits for
  prizes boolean[],         -- whether a confirmed order wins; null if the sale has no prize
  expires_at timestamptz,   -- deadline of the holds made here
  price_minor bigint,       -- the price of a unit in this sale
  currency text,
  available_before integer, -- units available when the lock was taken
  allocation integer,
  available integer,
  reserved integer,
  sold integer,
  version bigint,
  decided_at timestamptz
) language plpgsql
-- A plan made while the tables were small must not scan them when they are large, so only index look-ups are allowed.
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
  v_is_ended boolean := false;
  v_is_paid boolean;
  v_left integer;
  v_outcome text;
  v_sold integer := 0;
  v_held integer := 0;
  v_moved integer;
  v_has_queued boolean := p_entrances is not null and 'queued' = any (p_entrances);
  v_bought integer[] := array_fill(0, array[cardinality(p_order_ids)]); -- units per order, at its id's first position
  v_taken integer[] := array_fill(0, array[cardinality(p_order_ids)]);  -- units per buyer, at the buyer's first position
  v_has_digests boolean; -- whether the sale counts by digests; if not, the variables below stay null
  v_payment_digests text[];
  v_address_digests text[];
  v_first bigint;
  v_payment_firsts bigint[];
  v_address_firsts bigint[];
  v_payment_left integer[]; -- units left per digest, at its first position
  v_address_left integer[];
  v_came_by text[] := array_fill(null::text, array[cardinality(p_order_ids)]); -- entrance per order, as v_bought
begin
  select * into strict v_stock from stock where sale_id = p_sale_id for update;
  select * into strict v_sale from sales where sale_id = p_sale_id;
  decided_at := clock_timestamp();
  expires_at := decided_at + make_interval(secs => v_sale.hold_ttl_seconds);
  v_is_open := v_sale.status = 'active' and decided_at >= v_sale.starts_at and decided_at < v_sale.ends_at;
  if v_sale.status = 'ended' then
    -- An operator ended it, or its window ended while it was paused. A sale that was open until the end of its window also
    -- becomes 'ended' once none of its orders is queued. A queued order after that was accepted in time, failed, and was
    -- replayed by an operator.
    select coalesce(not bool_and(j.from_status = 'open'), true) into v_is_ended
    from sale_journal j where j.sale_id = p_sale_id and j.to_status = 'ended';
  end if;
  v_is_paid := v_sale.payment = 'required' and v_sale.price_minor > 0;
  v_left := v_stock.available;
  v_has_digests := v_sale.per_payment_limit is not null or v_sale.per_address_limit is not null;
  if v_has_digests then
    select d.* into v_payment_digests, v_address_digests, v_payment_firsts, v_address_firsts, v_payment_left, v_address_left
    from digest_limits(v_sale, p_order_ids, p_entrances, p_payment_digests, p_address_digests) d;
  end if;
  outcomes := array_fill(null::text, array[cardinality(p_order_ids)]);
  payment_ids := array_fill(null::uuid, array[cardinality(p_order_ids)]);
  prizes := array_fill(null::boolean, array[cardinality(p_order_ids)]);

  for v_request in
    select r.position, r.quantity, coalesce(r.entrance, 'direct') as entrance, coalesce(a.units, 0) as units_before,
           coalesce(a.declines, 0) as declines,
           min(r.position) over (partition by r.shopper_id collate "C") as buyer_position,
           min(r.position) over (partition by r.order_id) as first_position,
           o.status as known_status,
           o.shopper_id = r.shopper_id and o.quantity = r.quantity and o.product_id = v_sale.product_id
             and o.entrance = coalesce(r.entrance, 'direct')
             -- A retry may find its order in an earlier window; a queued order can only be decided in its own sale.
             and (o.sale_id = p_sale_id or o.entrance <> 'queued') as is_same
    from unnest(p_order_ids, p_shopper_ids, p_quantities, p_entrances)
         with ordinality as r (order_id, shopper_id, quantity, entrance, position)
    -- "limit 1" keeps each look-up an index probe per request, whatever the statistics say.
    left join lateral (
      select o.sale_id, o.shopper_id, o.quantity, o.status, o.entrance, s.product_id
      from orders o join sales s on s.sale_id = o.sale_id
      where o.order_id = r.order_id limit 1
    ) o on true
    left join lateral (
      select a.units, a.declines from allowances a where a.sale_id = p_sale_id and a.shopper_id = r.shopper_id limit 1
    ) a on true
    order by r.position
  loop
    v_outcome := case
      when v_request.entrance = 'queued' and v_request.known_status is null then 'order-not-found'
      when v_request.entrance = 'queued' and v_request.known_status = 'QUEUED' and v_request.is_same
           and (v_request.position = v_request.first_position
             or outcomes[v_request.first_position] = 'sale-paused') then null
      when v_request.known_status is not null and v_request.is_same then 'replayed'
      when v_request.known_status is not null then 'key-reused'
      when v_bought[v_request.first_position] = v_request.quantity
           and v_came_by[v_request.first_position] = v_request.entrance then 'replayed'
      when v_bought[v_request.first_position] > 0 then 'key-reused' end;
    v_outcome := case
      when v_outcome is not null then v_outcome
      -- A queued order was accepted in time: only an operator's pause or end of the sale counts against it, not the clock.
      when v_request.entrance = 'queued' and v_sale.status = 'paused' then 'sale-paused'
      when v_request.entrance = 'queued' and v_is_ended then 'sale-not-open'
      when v_request.entrance <> 'queued' and not v_is_open then 'sale-not-open'
      when v_request.quantity > v_sale.per_user_limit then 'limit-reached'
      when v_request.quantity > v_left then 'sold-out'
      when v_request.units_before + v_taken[v_request.buyer_position] + v_request.quantity > v_sale.per_user_limit
        then 'limit-reached'
      when v_has_digests and v_request.quantity > v_payment_left[v_payment_firsts[v_request.position]]
        then 'payment-limit-reached'
      when v_has_digests and v_request.quantity > v_address_left[v_address_firsts[v_request.position]]
        then 'address-limit-reached'
      when v_is_paid and v_request.declines >= decline_limit() then 'decline-limit-reached'
      when v_request.entrance = 'checkout' or v_is_paid then 'reserved'
      else 'confirmed' end;
    outcomes[v_request.position] := v_outcome;
    if v_outcome in ('confirmed', 'reserved') then
      v_bought[v_request.first_position] := v_request.quantity;
      v_came_by[v_request.first_position] := v_request.entrance;
      v_taken[v_request.buyer_position] := v_taken[v_request.buyer_position] + v_request.quantity;
      v_left := v_left - v_request.quantity;
      if v_has_digests then
        v_first := v_payment_firsts[v_request.position];
        v_payment_left[v_first] := v_payment_left[v_first] - v_request.quantity;
        v_first := v_address_firsts[v_request.position];
        v_address_left[v_first] := v_address_left[v_first] - v_request.quantity;
      end if;
      if v_outcome = 'confirmed' then
        v_sold := v_sold + v_request.quantity;
        prizes[v_request.position] := draw_prize(v_sale.prize_odds);
      else
        v_held := v_held + v_request.quantity;
        if v_request.entrance <> 'checkout' then
          payment_ids[v_request.position] := gen_random_uuid();
        end if;
      end if;
    end if;
  end loop;

  price_minor := v_sale.price_minor;
  currency := v_sale.currency;
  available_before := v_stock.available;
  if v_sold + v_held > 0 then
    with granted as materialized (
      select order_id, shopper_id, quantity, waited_us, coalesce(entrance, 'direct') as entrance, method, prize, outcome,
             payment_digest, address_digest,
             case outcome when 'confirmed' then 'CONFIRMED' else 'RESERVED' end as status
      from unnest(p_order_ids, p_shopper_ids, p_quantities, p_waited_us, p_entrances, p_payment_methods, prizes, outcomes,
                  v_payment_digests, v_address_digests)
           as r (order_id, shopper_id, quantity, waited_us, entrance, method, prize, outcome,
                 payment_digest, address_digest)
      where outcome in ('confirmed', 'reserved')
    ), to_allowances as (
      insert into allowances (sale_id, shopper_id, units)
      select p_sale_id, shopper_id, sum(quantity) from granted group by shopper_id
      on conflict (sale_id, shopper_id) do update set units = allowances.units + excluded.units
    ), to_orders as (
      insert into orders (sale_id, order_id, shopper_id, quantity, price_minor, total_minor, entrance, status,
                          expires_at, prize, payment_digest, address_digest, created_at)
      select p_sale_id, order_id, shopper_id, quantity, v_sale.price_minor, quantity * v_sale.price_minor, entrance,
             status, case when status = 'RESERVED' then expires_at end, prize, payment_digest, address_digest, decided_at
      from granted where entrance <> 'queued' order by order_id
      returning order_id, status, quantity, prize
    ), to_journal as (
      insert into journal (sale_id, order_id, seq, from_status, to_status, quantity, prize, at)
      select p_sale_id, order_id, 1, 'NEW', status, quantity, prize, decided_at from to_orders
    ), to_attempts as (
      insert into attempts (sale_id, product_id, shopper_id, order_id, quantity, outcome, answered_at, duration_us)
      select p_sale_id, v_sale.product_id, shopper_id, order_id, quantity, outcome, decided_at,
             waited_us + extract(microseconds from decided_at - statement_timestamp())
      from granted
    )
    update stock
    set available = stock.available - v_sold - v_held, sold = stock.sold + v_sold,
        reserved = stock.reserved + v_held, version = stock.version + 1
    where sale_id = p_sale_id
    returning * into strict v_stock;
    if v_has_digests then
      perform count_digests(p_sale_id, v_payment_digests, v_address_digests, p_quantities, outcomes);
    end if;
    if v_is_paid then
      perform await_payments(p_sale_id, p_order_ids, payment_ids, p_payment_methods);
    end if;
  end if;
  if v_has_queued then
    v_moved := decide_queued(v_sale, p_order_ids, p_entrances, outcomes, prizes, p_waited_us, expires_at, decided_at);
    if v_moved > 0 and v_sold + v_held = 0 then
      -- Followers of the sale see by its version that orders have moved.
      update stock set version = stock.version + 1 where sale_id = p_sale_id returning * into strict v_stock;
    end if;
  end if;

  if 'replayed' = any (outcomes) then
    select jsonb_object_agg(o.order_id, order_json(o)) into replays
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
