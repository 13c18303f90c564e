-- Purpose: move one order to another status and journal the change. Part of settle(), under its lock of the stock row. The
-- previous status guards the update; a move that the transition table does not list is refused. Locks: the order's row.
-- Indexes: orders_pkey.
create or replace function move_order(
  p_order orders, p_to text, p_reason text, p_at timestamptz, p_prize boolean
) returns void language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
begin
  update orders set status = p_to, reason = p_reason, seq = p_order.seq + 1, prize = p_prize
  where sale_id = p_order.sale_id and order_id = p_order.order_id and status = p_order.status and seq = p_order.seq
    and exists (select from order_transitions where from_status = p_order.status and to_status = p_to);
  if not found then
    raise check_violation using message =
      format('order %s cannot move from %s to %s', p_order.order_id, p_order.status, p_to);
  end if;
  insert into journal (sale_id, order_id, seq, from_status, to_status, quantity, reason, prize, at)
  values (p_order.sale_id, p_order.order_id, p_order.seq + 1, p_order.status, p_to, p_order.quantity, p_reason,
          p_prize, p_at);
end $$;
