-- Purpose: move one payment to another status and journal the change. Part of settle(), under its lock of the stock row;
-- the previous status guards the update. Locks: the payment's row. Indexes: payments_pkey, payment_journal_pkey.
create or replace function move_payment(
  p_payment payments, p_to text, p_amount_minor bigint, p_reference text, p_reason text, p_currency text default null
) returns void language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
begin
  update payments
  set status = p_to, reason = p_reason, reference = coalesce(p_reference, reference), updated_at = clock_timestamp(),
      captured_minor = case when p_to in ('CAPTURED', 'REFUND_DUE') then p_amount_minor else captured_minor end,
      captured_currency = coalesce(p_currency, captured_currency),
      refunded_minor = case when p_to = 'REFUNDED' then p_amount_minor else refunded_minor end,
      tries = 0, due_at = case when p_to = 'REFUND_DUE' then clock_timestamp() end
  where payment_id = p_payment.payment_id and status = p_payment.status;
  if not found then
    raise check_violation using message = format('payment %s is no longer %s', p_payment.payment_id, p_payment.status);
  end if;
  insert into payment_journal (payment_id, seq, status, amount_minor, reason)
  select p_payment.payment_id, max(seq) + 1, p_to, p_amount_minor, p_reason
  from payment_journal where payment_id = p_payment.payment_id;
end $$;
