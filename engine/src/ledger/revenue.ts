import type { Queryable } from '../platform/postgres.js';

/** Orders that are bought and paid for as their sale asks; what was given back is not among them. */
type Sold = { currency: string; orders: number; units: number; revenueMinor: number };

export type Revenue = {
  totals: Sold[];
  /** Days in UTC on which something was sold, the earliest first. */
  days: (Sold & { day: string })[];
  /** Those that earned most, by currency. */
  products: (Sold & { productId: number; name: string })[];
};

// A list to look at; whoever wants all of them asks PostgreSQL.
const productsMax = 20;

/**
 * What was sold from `from` on and before `to`, by the time an order was made; rehearsals sell nothing.
 *
 * Locks: none. Index: orders_pkey, through the sales whose window touches the time, so that the orders of other sales are
 * not read. Each order of those sales is: some 300 ms a million.
 */
export async function readRevenue(db: Queryable, from: Date, to: Date): Promise<Revenue> {
  const { rows } = await db.query<Row>(
    `with sold as materialized (
       select s.product_id, s.currency, (o.created_at at time zone 'UTC')::date as day,
              count(*) as orders, sum(o.quantity) as units, sum(o.total_minor) as revenue
       from sales s join products p using (product_id) join orders o using (sale_id)
       where not p.is_rehearsal and s.starts_at < $2 and s.ends_at > $1 and o.status = 'CONFIRMED'
         and o.created_at >= $1 and o.created_at < $2
       group by s.product_id, s.currency, day
     ), best as (
       select product_id, currency, sum(orders) as orders, sum(units) as units, sum(revenue) as revenue
       from sold group by product_id, currency order by revenue desc, product_id limit $3
     )
     select 'total' as kind, currency, null::text as day, null::bigint as "productId", null::text as name, ${sums}
     from sold group by currency
     union all
     select 'day', currency, to_char(day, 'YYYY-MM-DD'), null, null, ${sums}
     from sold group by currency, day
     union all
     select 'product', best.currency, null, product_id, name, ${sums}
     from best join products using (product_id) group by best.currency, product_id, name
     order by kind, day, "revenueMinor" desc, currency`,
    [from, to, productsMax],
  );
  return {
    totals: rows.flatMap(row => (row.kind === 'total' ? [soldOf(row)] : [])),
    days: rows.flatMap(row => (row.kind === 'day' ? [{ day: row.day, ...soldOf(row) }] : [])),
    products: rows.flatMap(row =>
      row.kind === 'product' ? [{ productId: row.productId, name: row.name, ...soldOf(row) }] : [],
    ),
  };
}

type Row = Sold &
  ({ kind: 'total' } | { kind: 'day'; day: string } | { kind: 'product'; productId: number; name: string });

const sums = `sum(orders)::bigint as orders, sum(units)::bigint as units, sum(revenue)::bigint as "revenueMinor"`;

function soldOf({ currency, orders, units, revenueMinor }: Sold): Sold {
  return { currency, orders, units, revenueMinor };
}
