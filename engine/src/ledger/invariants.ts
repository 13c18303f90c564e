import { publishTakesMaxMs, untilRetold } from './forgotten-orders.js';

type Invariant = { id: number; title: string; sql: string | null };

/**
 * What must hold at every instant, numbered as in docs/audit.md. Each statement selects the rows that break it. Two
 * invariants compare the ledger with something outside it and have no statement.
 */
export const invariants: readonly Invariant[] = [
  {
    id: 1,
    title: 'Conservation: allocation = available + reserved + sold, none negative',
    sql: `select from stock
          where allocation <> available + reserved + sold or least(available, reserved, sold) < 0
          union all select from sales left join stock using (sale_id) where stock.sale_id is null`,
  },
  {
    id: 2,
    title: 'Counters equal the fold of the journal',
    sql: `select from stock left join (
            select sale_id,
                   sum(case when to_status = 'CONFIRMED' then quantity when from_status = 'CONFIRMED' then -quantity end) as sold,
                   sum(case when to_status = 'RESERVED' then quantity when from_status = 'RESERVED' then -quantity end) as reserved
            from journal group by sale_id
          ) fold using (sale_id)
          where stock.sold <> coalesce(fold.sold, 0) or stock.reserved <> coalesce(fold.reserved, 0)`,
  },
  {
    id: 3,
    title: 'Counters equal the orders: reserved and sold units',
    sql: `select from stock full join (
            select sale_id,
                   sum(quantity) filter (where status = 'CONFIRMED') as sold,
                   sum(quantity) filter (where status = 'RESERVED') as reserved
            from orders group by sale_id
          ) held using (sale_id)
          where stock.sold is distinct from coalesce(held.sold, 0)
             or stock.reserved is distinct from coalesce(held.reserved, 0)`,
  },
  {
    id: 4,
    title:
      "No buyer, payment fingerprint or address above the sale's limit; what is stored for each equals the live orders",
    sql: `select from (
            select sale_id, shopper_id, sum(quantity) as units
            from orders where status in ('RESERVED', 'CONFIRMED') group by sale_id, shopper_id
          ) held
          full join (select * from allowances where units > 0) allowance using (sale_id, shopper_id)
          left join sales using (sale_id)
          where held.units is distinct from allowance.units or held.units > sales.per_user_limit
          union all
          select from (
            select sale_id, kind, digest, sum(quantity) as units
            from orders
            cross join lateral (values ('payment', payment_digest), ('address', address_digest)) stated (kind, digest)
            where status in ('RESERVED', 'CONFIRMED') and coalesce(payment_digest, address_digest) is not null
              and digest is not null
            group by sale_id, kind, digest
          ) held
          full join (select * from digest_allowances where units > 0) allowance using (sale_id, kind, digest)
          left join sales using (sale_id)
          where held.units is distinct from allowance.units
             or held.units > case kind when 'payment' then per_payment_limit else per_address_limit end
          union all
          -- An order without a digest would not be counted at all.
          select from sales join orders using (sale_id)
          where orders.status in ('RESERVED', 'CONFIRMED')
            and (per_payment_limit is not null and payment_digest is null
              or per_address_limit is not null and address_digest is null)`,
  },
  {
    id: 5,
    title: "Transitions are legal and gapless; an order's status is its last journal row",
    sql: `select from (
            select *,
                   lag(to_status, 1, 'NEW') over steps as status_before,
                   row_number() over steps as position
            from journal window steps as (partition by sale_id, order_id order by seq)
          ) step
          left join order_transitions using (from_status, to_status)
          where order_transitions.from_status is null or from_status <> status_before or seq <> position
          union all
          select from orders full join (
            select distinct on (sale_id, order_id) sale_id, order_id, seq, to_status, quantity, reason, prize
            from journal order by sale_id, order_id, seq desc
          ) last using (sale_id, order_id)
          where orders.status is distinct from last.to_status or orders.quantity is distinct from last.quantity
             or orders.seq is distinct from last.seq or orders.reason is distinct from last.reason
             or orders.prize is distinct from last.prize`,
  },
  {
    id: 6,
    title: 'No hold is past its deadline by more than 60 s',
    sql: `select from orders
          where status = 'RESERVED' and coalesce(expires_at < clock_timestamp() - interval '60 seconds', true)`,
  },
  { id: 7, title: 'Every acknowledged order exists', sql: null },
  {
    id: 8,
    title: 'One order per shopper and Idempotency-Key, and per checkout code, which was used in time',
    sql: `select from orders group by order_id having count(*) > 1
          union all
          select from orders
          where entrance = 'checkout' and status = 'CONFIRMED'
            and (redeemed_at is null or redeemed_key is null or redeemed_at > expires_at)`,
  },
  {
    id: 9,
    title: 'Nothing queued is lost: decided, queued, or a dead letter with a reason',
    // For a queue outside this database, queue_watch holds the age of its backlog. The relay has a minute to publish what
    // is due. An order of a paused sale is published again once, and waits.
    sql: `select from orders o
          where status = 'QUEUED' and created_at < clock_timestamp() - interval '60 seconds'
            and not exists (select from queue_messages m where m.order_id = o.order_id)
            and coalesce(retold_at < clock_timestamp() - interval '60 seconds' - ${untilRetold}, true)
            and not exists (select from dead_letters d where d.order_id = o.order_id and d.status = 'NEW')
            and not exists (select from queue_watch w join sales s on s.sale_id = o.sale_id
                            where w.seen_at > clock_timestamp() - interval '120 seconds'
                              and (o.created_at >= w.waits_since - interval '${publishTakesMaxMs} milliseconds'
                                   or s.status = 'paused' and o.retold_at is not null))
          union all
          select from orders o
          where status = 'FAILED' and not exists (select from dead_letters d where d.order_id = o.order_id)
          union all
          select from orders where status in ('REJECTED', 'FAILED', 'EXPIRED', 'CANCELLED') and reason is null`,
  },
  {
    id: 10,
    title: 'Dead letters are resolved or visible, and none that waits belongs to a live order',
    sql: `select from dead_letters d left join orders o using (sale_id, order_id)
          where o.order_id is null
             or d.status = 'NEW' and d.created_at < clock_timestamp() - interval '60 seconds'
             or d.status = 'COMPENSATED' and d.source <> 'refund' and o.status in ('QUEUED', 'RESERVED', 'CONFIRMED')`,
  },
  {
    id: 11,
    title: 'Money matches state: the amount kept is the total of a paid order, and nothing for any other',
    // Money that is due back is not counted as kept: its refund is on its way, or a dead letter that an operator sees.
    sql: `select from orders o join sales s using (sale_id)
          left join lateral (
            select sum(captured_minor - refunded_minor) filter (where status <> 'REFUND_DUE') as kept,
                   count(*) filter (where status = 'CAPTURED') as kept_count,
                   count(*) filter (where status in ('REFUND_DUE', 'REFUNDED')) as returned_count
            from payments p where p.sale_id = o.sale_id and p.order_id = o.order_id
          ) money on true
          where kept_count > 1
             or coalesce(kept, 0) <> case
                  when o.status = 'CONFIRMED' and s.payment = 'required' then o.total_minor else 0 end
             or o.status = 'REFUNDED' and returned_count = 0
          union all
          select from payments p left join orders o using (sale_id, order_id) left join sales s using (sale_id)
          where o.order_id is null or p.currency <> s.currency
             or p.status = 'CAPTURED' and p.captured_currency <> p.currency
          union all
          select from payments p full join (
            select payment_id,
                   (array_agg(status order by seq desc))[1] as status,
                   count(*) filter (where status in ('CAPTURED', 'REFUND_DUE')) as captures,
                   count(*) filter (where status = 'REFUNDED') as refunds,
                   coalesce(sum(amount_minor) filter (where status in ('CAPTURED', 'REFUND_DUE')), 0) as captured,
                   coalesce(sum(amount_minor) filter (where status = 'REFUNDED'), 0) as refunded,
                   count(*) = max(seq) as is_gapless
            from payment_journal group by payment_id
          ) fold using (payment_id)
          where p.status is distinct from fold.status or captures > 1 or refunds > 1 or not is_gapless
             or p.captured_minor <> captured or p.refunded_minor <> refunded
          union all
          select from payments p
          where due_at = 'infinity'
            and not exists (select from dead_letters d where d.order_id = p.order_id and d.source = 'refund')`,
  },
  {
    id: 12,
    title: "The price charged is the sale's price when the order was accepted",
    sql: `select from orders left join sales using (sale_id)
          where orders.price_minor is distinct from sales.price_minor
             or orders.total_minor <> orders.quantity * orders.price_minor`,
  },
  {
    id: 13,
    title:
      'Every order has its attempt, as far back as attempts are kept, and every granted attempt its order',
    sql: `select from orders
          full join (
            select sale_id, order_id from attempts where outcome in ('confirmed', 'reserved', 'queued')
          ) attempt using (sale_id, order_id)
          where orders.order_id is null
             or (attempt.order_id is null and orders.created_at >= (select since from attempts_kept))`,
  },
  { id: 14, title: 'The gate agrees with the ledger', sql: null },
];
