-- Purpose: the one shape in which the ledger's functions return an order to the engine. Locks: none. Indexes: sales_pkey.
create or replace function order_json(p_order orders) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'saleId', p_order.sale_id, 'quantity', p_order.quantity, 'totalMinor', p_order.total_minor,
    'currency', (select currency from sales where sale_id = p_order.sale_id),
    'entrance', p_order.entrance, 'status', p_order.status, 'reason', p_order.reason,
    'createdAt', p_order.created_at, 'expiresAt', p_order.expires_at, 'prize', p_order.prize)
$$;
