-- Purpose: end the holds of one sale whose deadline has passed, oldest first, at most p_limit, in one transaction. It
-- returns units and allowances at once. Deadlines are compared with the database's clock after the lock is taken: between
-- an expiry and a payment, the one that gets the lock first wins.
--
-- Locks, in the documented order: the sale's stock row, held to the end; then allowances, orders, journal.
-- Indexes: orders_holds_by_deadline finds the holds, orders_one_per_intent moves them, allowances_pkey,
-- digest_allowances_pkey.
--
-- The update names the orders only by their ids, and the status by a variable, for the reason in decide-queued.sql: with
-- 30,000 holds in a database without statistics, a batch of 100 took 0.9 s under the lock.
create or replace function expire(p_sale_id bigint, p_limit integer) returns table (
  expired integer,
  allocation integer,
  available integer,
  reserved integer,
  sold integer,
  version bigint
) language plpgsql
-- If another session keeps one sale locked, the holds of other sales must not wait.
set lock_timeout = '1s'
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  v_stock stock;
  v_now timestamptz;
  v_units integer;
  v_from constant text := 'RESERVED';
begin
  select * into strict v_stock from stock where sale_id = p_sale_id for update;
  v_now := clock_timestamp();
  with lapsed as materialized (
    select order_id from orders
    where sale_id = p_sale_id and status = 'RESERVED' and expires_at <= v_now
    order by expires_at limit p_limit
  ), moved as (
    update orders o set status = 'EXPIRED', reason = 'hold-lapsed', seq = o.seq + 1
    from lapsed l
    where o.order_id = l.order_id and o.status = v_from
    returning o.*
  ), to_journal as (
    insert into journal (sale_id, order_id, seq, from_status, to_status, quantity, reason, at)
    select sale_id, order_id, seq, v_from, 'EXPIRED', quantity, reason, v_now from moved
  ), to_allowances as (
    update allowances a set units = a.units - m.units
    from (select shopper_id, sum(quantity) as units from moved group by shopper_id) m
    where a.sale_id = p_sale_id and a.shopper_id = m.shopper_id
  ), to_digest_allowances as (
    update digest_allowances a set units = a.units - d.units
    from (
      select d.kind, d.digest, sum(m.quantity) as units
      from moved m
      cross join lateral (values ('payment', m.payment_digest), ('address', m.address_digest)) as d (kind, digest)
      where coalesce(m.payment_digest, m.address_digest) is not null and d.digest is not null
      group by d.kind, d.digest
    ) d
    where a.sale_id = p_sale_id and a.kind = d.kind and a.digest = d.digest
  )
  select count(*), coalesce(sum(quantity), 0) into expired, v_units from moved;
  if expired > 0 then
    update stock
    set available = stock.available + v_units, reserved = stock.reserved - v_units, version = stock.version + 1
    where sale_id = p_sale_id
    returning * into strict v_stock;
  end if;
  allocation := v_stock.allocation;
  available := v_stock.available;
  reserved := v_stock.reserved;
  sold := v_stock.sold;
  version := v_stock.version;
  return next;
end $$;
