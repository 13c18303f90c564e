/**
 * What must hold at every instant, numbered as in docs/operate.md. Each statement selects the rows that break it;
 * `sql: null` is the one that needs a list from outside. Numbers that are missing belong to tables that do not exist yet.
 */
export const invariants: readonly { id: number; title: string; sql: string | null }[] = [
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
    title: "No buyer above the sale's limit; the stored allowance equals the buyer's live orders",
    sql: `select from (
            select sale_id, shopper_id, sum(quantity) as units
            from orders where status in ('RESERVED', 'CONFIRMED') group by sale_id, shopper_id
          ) held
          full join (select * from allowances where units > 0) allowance using (sale_id, shopper_id)
          left join sales using (sale_id)
          where held.units is distinct from allowance.units or held.units > sales.per_user_limit`,
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
            select distinct on (sale_id, order_id) sale_id, order_id, to_status, quantity
            from journal order by sale_id, order_id, seq desc
          ) last using (sale_id, order_id)
          where orders.status is distinct from last.to_status or orders.quantity is distinct from last.quantity`,
  },
  { id: 7, title: 'Every acknowledged order exists', sql: null },
  {
    id: 8,
    title: 'One order per shopper and Idempotency-Key',
    sql: 'select from orders group by order_id having count(*) > 1',
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
];
