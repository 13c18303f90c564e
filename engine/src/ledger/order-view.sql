-- Purpose: an order as the ledger's functions hand it to the engine, in one shape. Locks: none.
create or replace function order_json(p_order orders) returns jsonb language sql immutable as $$
  select jsonb_build_object(
    'saleId', p_order.sale_id, 'quantity', p_order.quantity, 'totalMinor', p_order.total_minor,
    'entrance', p_order.entrance, 'status', p_order.status, 'reason', p_order.reason,
    'createdAt', p_order.created_at, 'expiresAt', p_order.expires_at, 'prize', p_order.prize)
$$;
