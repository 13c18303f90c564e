-- Purpose: apply a batch of events to existing orders of one sale, in order, in one transaction: a shopper presents a
-- code or cancels, a payment has an outcome, a dead letter is compensated or replayed. Every event is checked against the
-- order's state under the lock. A repeated event has no second effect.
--
-- Locks: the sale's stock row first, held to the end; then payments, orders, journal and allowances, event by event. No
-- other transaction changes a decided order of this sale meanwhile, so an expiry and a payment come one after the other.
-- Indexes: stock_pkey, orders_pkey, allowances_pkey, payments_by_order, payments_pkey.
--
-- An event is {event, orderId, ...}:
--   redeem            shopperId, key (uuid or null), paymentMethod   a checkout's code; the caller has checked the code
--   cancel            shopperId
--   fail              reason
--   requeue
--   captured          paymentId, amountMinor, currency, reference
--   declined          paymentId, reference, reason
--   payment-canceled  paymentId
--   refunded          paymentId
create or replace function settle(p_sale_id bigint, p_events jsonb) returns table (
  outcomes text[],      -- one per position; the possible outcomes are listed at each event below
  orders_after jsonb[], -- the order after the event, null if the caller has no such order
  payment_ids uuid[],   -- with the outcome "pay": the payment to make
  allocation integer,
  available integer,
  reserved integer,
  sold integer,
  version bigint
) language plpgsql
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
  v_event record;
  v_order orders;
  v_payment payments;
  v_now timestamptz;
  v_outcome text;
  v_to text;      -- the status that the order moves to, null if it stays
  v_reason text;
  v_pay uuid;
  v_moved boolean := false;
begin
  select * into strict v_stock from stock where sale_id = p_sale_id for update;
  select * into strict v_sale from sales where sale_id = p_sale_id;
  v_now := clock_timestamp();
  outcomes := array[]::text[];
  orders_after := array[]::jsonb[];
  payment_ids := array[]::uuid[];

  for v_event in
    select e.* from jsonb_to_recordset(p_events) as e (
      position integer, event text, "orderId" uuid, "shopperId" text, key uuid, "paymentMethod" text,
      "paymentId" uuid, "amountMinor" bigint, currency text, reference text, reason text)
    order by e.position
  loop
    v_to := null; v_reason := null; v_pay := null; v_payment := null;
    select * into v_order from orders where sale_id = p_sale_id and order_id = v_event."orderId";
    if v_order.order_id is null or v_order.shopper_id <> v_event."shopperId"
       or v_event.event = 'redeem' and v_order.entrance <> 'checkout' then
      outcomes := outcomes || 'order-not-found'::text;
      orders_after := orders_after || null::jsonb;
      payment_ids := payment_ids || null::uuid;
      continue;
    end if;
    if v_event."paymentId" is not null then
      select * into v_payment from payments where payment_id = v_event."paymentId";
      if not found then
        raise foreign_key_violation using message = format('there is no payment %s', v_event."paymentId");
      end if;
    end if;

    case v_event.event
    when 'redeem' then -- confirmed | pay | replayed | code-used | code-expired | order-ended | decline-limit-reached
      v_outcome := case
        when v_order.status = 'CONFIRMED' and v_order.redeemed_key = v_event.key then 'replayed'
        when v_order.status = 'CONFIRMED' then 'code-used'
        when v_order.status = 'EXPIRED' then 'code-expired'
        when v_order.status <> 'RESERVED' then 'order-ended'
        -- The code was presented in time and the provider has not given a final answer: a repeated call joins that payment.
        when v_order.redeemed_at is not null then 'pay'
        when v_order.expires_at <= v_now then 'code-expired'
        when v_sale.payment = 'required' and v_order.total_minor > 0 then 'pay'
        else 'confirmed' end;
      if v_outcome = 'pay' then
        select payment_id into v_pay from payments
        where sale_id = p_sale_id and order_id = v_order.order_id and status = 'PENDING';
        if v_pay is null and v_order.expires_at <= v_now then
          v_outcome := 'code-expired';
        elsif v_pay is null and exists (
          select from allowances where sale_id = p_sale_id and shopper_id = v_order.shopper_id
                                   and declines >= decline_limit()) then
          v_outcome := 'decline-limit-reached';
        end if;
      end if;
      if v_outcome = 'confirmed' or v_outcome = 'pay' and v_pay is null then
        -- The order keeps the key under which this payment began, not an earlier one whose card was declined.
        update orders set redeemed_at = coalesce(v_order.redeemed_at, v_now), redeemed_key = v_event.key
        where sale_id = p_sale_id and order_id = v_order.order_id;
      end if;
      if v_outcome = 'confirmed' then
        v_to := 'CONFIRMED';
      elsif v_outcome = 'pay' and v_pay is null then
        v_pay := gen_random_uuid();
        perform await_payments(p_sale_id, array[v_order.order_id], array[v_pay], array[v_event."paymentMethod"]);
      end if;

    when 'cancel' then -- cancelled | replayed | order-confirmed | order-ended
      v_outcome := case v_order.status
        when 'RESERVED' then 'cancelled' when 'QUEUED' then 'cancelled'
        when 'CANCELLED' then 'replayed' when 'CONFIRMED' then 'order-confirmed' else 'order-ended' end;
      if v_outcome = 'cancelled' then
        v_to := 'CANCELLED'; v_reason := 'cancelled-by-shopper';
      end if;

    when 'fail' then -- failed | order-ended
      v_outcome := case when v_order.status in ('QUEUED', 'RESERVED') then 'failed' else 'order-ended' end;
      if v_outcome = 'failed' then
        v_to := 'FAILED'; v_reason := v_event.reason;
      end if;

    when 'requeue' then -- queued | payment-unsettled | order-ended
      v_outcome := case
        when v_order.status <> 'FAILED' or v_order.entrance <> 'queued' then 'order-ended'
        when exists (select from payments where sale_id = p_sale_id and order_id = v_order.order_id
                     and status in ('PENDING', 'CAPTURED', 'REFUND_DUE')) then 'payment-unsettled'
        else 'queued' end;
      if v_outcome = 'queued' then
        v_to := 'QUEUED'; v_reason := 'replayed-by-operator';
      end if;

    when 'captured' then -- confirmed | refund-due | replayed
      if v_payment.status in ('CAPTURED', 'REFUND_DUE', 'REFUNDED') then
        v_outcome := 'replayed';
      else
        v_reason := case
          when v_event."amountMinor" <> v_order.total_minor then 'wrong-amount'
          when v_event.currency is distinct from v_payment.currency then 'wrong-currency'
          when v_order.status = 'RESERVED' then null
          when v_order.status <> 'EXPIRED' then 'paid-after-' || lower(v_order.status)
          when v_stock.available < v_order.quantity then 'late-payment-sold-out'
          when v_sale.per_user_limit < v_order.quantity + coalesce((
            select units from allowances where sale_id = p_sale_id and shopper_id = v_order.shopper_id), 0)
            then 'late-payment-limit-reached'
          when not digests_fit(v_sale, v_order) then 'late-payment-limit-reached' -- by payment fingerprint or address
          else 'late-payment' end;
        if v_reason is null or v_reason = 'late-payment' then
          v_outcome := 'confirmed'; v_to := 'CONFIRMED';
        else
          v_outcome := 'refund-due';
          if v_order.status = 'RESERVED' then v_to := 'CANCELLED'; end if;
        end if;
        perform move_payment(v_payment, case v_outcome when 'confirmed' then 'CAPTURED' else 'REFUND_DUE' end,
                             v_event."amountMinor", v_event.reference, v_reason, v_event.currency);
      end if;

    when 'declined' then -- declined | replayed
      -- Every caller that waits for the payment gets "declined", even if another caller reported it first.
      v_outcome := case when v_payment.status in ('PENDING', 'DECLINED') then 'declined' else 'replayed' end;
      if v_payment.status = 'PENDING' then
        perform move_payment(v_payment, 'DECLINED', 0, v_event.reference, v_event.reason);
        update allowances set declines = declines + 1
        where sale_id = p_sale_id and shopper_id = v_order.shopper_id;
        -- The holder of a code may try another card until the hold ends; other holds exist only for this payment.
        if v_order.status = 'RESERVED' and v_order.entrance <> 'checkout' then
          v_to := 'CANCELLED'; v_reason := 'payment-declined';
        end if;
      end if;

    when 'payment-canceled' then -- cancelled | replayed
      v_outcome := case when v_payment.status = 'PENDING' then 'cancelled' else 'replayed' end;
      if v_outcome = 'cancelled' then
        perform move_payment(v_payment, 'CANCELLED', 0, v_event.reference, v_event.reason);
        if v_order.status = 'RESERVED' and v_order.entrance <> 'checkout' then
          v_to := 'CANCELLED'; v_reason := 'payment-canceled';
        end if;
      end if;

    when 'refunded' then -- refunded | replayed
      v_outcome := case when v_payment.status = 'REFUND_DUE' then 'refunded' else 'replayed' end;
      if v_outcome = 'refunded' then
        perform move_payment(v_payment, 'REFUNDED', v_payment.captured_minor, null, v_payment.reason);
        -- An order that is paid or queued again keeps its status: the refund belongs to another payment.
        if v_order.status in ('EXPIRED', 'CANCELLED', 'FAILED') then
          v_to := 'REFUNDED'; v_reason := v_payment.reason;
        end if;
      end if;
    end case;

    if v_to is not null then
      v_moved := true;
      perform move_order(v_order, v_to, v_reason, v_now,
                         case when v_to = 'CONFIRMED' then draw_prize(v_sale.prize_odds) end);
      if v_order.status = 'RESERVED' then
        v_stock.reserved := v_stock.reserved - v_order.quantity;
      end if;
      if v_to = 'CONFIRMED' then
        v_stock.sold := v_stock.sold + v_order.quantity;
        if v_order.status = 'EXPIRED' then
          v_stock.available := v_stock.available - v_order.quantity;
          insert into allowances (sale_id, shopper_id, units)
          values (p_sale_id, v_order.shopper_id, v_order.quantity)
          on conflict (sale_id, shopper_id) do update set units = allowances.units + excluded.units;
          perform count_digests(p_sale_id, array[v_order.payment_digest], array[v_order.address_digest],
                                array[v_order.quantity], array['confirmed']);
        end if;
      elsif v_order.status = 'RESERVED' then
        v_stock.available := v_stock.available + v_order.quantity;
        update allowances set units = units - v_order.quantity
        where sale_id = p_sale_id and shopper_id = v_order.shopper_id;
        if coalesce(v_order.payment_digest, v_order.address_digest) is not null then
          perform uncount_digests(v_order);
        end if;
      end if;
    end if;
    outcomes := outcomes || v_outcome;
    orders_after := orders_after || (
      select order_json(o) from orders o where sale_id = p_sale_id and order_id = v_order.order_id);
    payment_ids := payment_ids || v_pay;
  end loop;

  if v_moved then
    -- Safe as absolute values because this transaction has held the row since its first statement; its CHECKs guard them.
    update stock set available = v_stock.available, reserved = v_stock.reserved, sold = v_stock.sold,
                     version = stock.version + 1
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
