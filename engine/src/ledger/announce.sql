-- Purpose: tell every process that a sale's stock has changed. Delivered by PostgreSQL after COMMIT, never before.
-- The version lets a listener drop what it has seen already. Locks: none beyond PostgreSQL's own notify queue.
create or replace function announce_stock(p_stock stock) returns void language sql as $$
  select pg_notify('doorbuster_stock', json_build_object(
    'saleId', p_stock.sale_id, 'allocation', p_stock.allocation, 'available', p_stock.available,
    'reserved', p_stock.reserved, 'sold', p_stock.sold, 'version', p_stock.version)::text)
$$;
-- Purpose: tell every process that orders of a sale have moved on, once a batch; who follows one of them reads it.
create or replace function announce_orders(p_sale_id bigint) returns void language sql as $$
  select pg_notify('doorbuster_orders', json_build_object('saleId', p_sale_id)::text)
$$;
