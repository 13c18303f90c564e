-- Purpose: count the units of a sale by payment fingerprint and by address, as decide(), settle() and expire() count them
-- by shopper. Parts of those functions, under their lock of the stock row, and called only for sales with such a limit.
-- Locks: rows of digest_allowances. Indexes: digest_allowances_pkey, orders_one_per_intent.

-- The digests of a batch, and the units left for each: one element per request in each array. A queued order's digests are
-- read from the order.
create or replace function digest_limits(
  p_sale sales, p_order_ids uuid[], p_entrances text[], p_payment_digests text[], p_address_digests text[]
) returns table (
  payment_digests text[],
  address_digests text[],
  payment_firsts bigint[], -- the first position with the same digest
  address_firsts bigint[],
  payment_left integer[],  -- units left below the limit; null if the sale has no such limit
  address_left integer[]
) language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  return query
  select array_agg(r.payment_digest order by r.position), array_agg(r.address_digest order by r.position),
         array_agg(r.payment_first order by r.position), array_agg(r.address_first order by r.position),
         -- In a sale with a limit, a request without a digest gets nothing.
         array_agg(case when r.payment_digest is not null then p_sale.per_payment_limit - coalesce(p.units, 0)
                        when p_sale.per_payment_limit is not null then 0 end order by r.position),
         array_agg(case when r.address_digest is not null then p_sale.per_address_limit - coalesce(a.units, 0)
                        when p_sale.per_address_limit is not null then 0 end order by r.position)
  from (
    select s.*,
           min(s.position) over (partition by s.payment_digest collate "C") as payment_first,
           min(s.position) over (partition by s.address_digest collate "C") as address_first
    from (
      select r.position, coalesce(o.payment_digest, r.payment_digest) as payment_digest,
             coalesce(o.address_digest, r.address_digest) as address_digest
      from unnest(p_order_ids, p_entrances, p_payment_digests, p_address_digests)
           with ordinality as r (order_id, entrance, payment_digest, address_digest, position)
      left join lateral (
        select o.payment_digest, o.address_digest from orders o
        where r.entrance = 'queued' and o.order_id = r.order_id limit 1
      ) o on true
    ) s
  ) r
  left join lateral (
    select d.units from digest_allowances d
    where d.sale_id = p_sale.sale_id and d.kind = 'payment' and d.digest = r.payment_digest limit 1
  ) p on true
  left join lateral (
    select d.units from digest_allowances d
    where d.sale_id = p_sale.sale_id and d.kind = 'address' and d.digest = r.address_digest limit 1
  ) a on true;
end $$;

-- Adds the granted units; one element per request in each array.
create or replace function count_digests(
  p_sale_id bigint, p_payment_digests text[], p_address_digests text[], p_quantities integer[], p_outcomes text[]
) returns void language sql as $$
  insert into digest_allowances (sale_id, kind, digest, units)
  select p_sale_id, d.kind, d.digest, sum(r.quantity)
  from unnest(p_payment_digests, p_address_digests, p_quantities, p_outcomes)
       as r (payment_digest, address_digest, quantity, outcome)
  cross join lateral (values ('payment', r.payment_digest), ('address', r.address_digest)) as d (kind, digest)
  where r.outcome in ('confirmed', 'reserved') and d.digest is not null
  group by d.kind, d.digest
  on conflict (sale_id, kind, digest) do update set units = digest_allowances.units + excluded.units
$$;

-- Returns the units of one order.
create or replace function uncount_digests(p_order orders) returns void language sql
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  update digest_allowances d set units = d.units - p_order.quantity
  from (values ('payment', p_order.payment_digest), ('address', p_order.address_digest)) as h (kind, digest)
  where d.sale_id = p_order.sale_id and d.kind = h.kind and d.digest = h.digest
$$;

-- Whether the units of an order whose hold has ended would fit again.
create or replace function digests_fit(p_sale sales, p_order orders) returns boolean language sql
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select coalesce(bool_and(p_order.quantity + coalesce(d.units, 0) <= l.units_max), true)
  from (values ('payment', p_order.payment_digest, p_sale.per_payment_limit),
               ('address', p_order.address_digest, p_sale.per_address_limit)) as l (kind, digest, units_max)
  left join lateral (
    select units from digest_allowances
    where sale_id = p_sale.sale_id and kind = l.kind and digest = l.digest limit 1
  ) d on true
  where l.units_max is not null
$$;
