import type { Queryable } from '../platform/postgres.js';

/** Confirmed orders, paid if their sale requires it; refunded orders are not included. */
type Sold = { currency: string; orders: number; units: number; revenueMinor: number };

export type Revenue = {
  totals: Sold[];
  /** Days in UTC on which something was sold, earliest first. */
  days: (Sold & { day: string })[];
  /** The products that earned the most, by currency. */
  products: (Sold & { productId: number; name: string })[];
  /** The products with the most units sold, by currency. */
  mostSold: (Sold & { productId: number; name: string })[];
};

// Enough for a list on a page; a complete report needs its own query.
const productsMax = 20;
const mostSoldMax = 10;

/**
 * Sales in the hours from `from` (inclusive) to `to` (exclusive), by the time an order was made, without rehearsals. Reads
 * the sums that sum-sold.ts maintains.
 *
 * Locks: none. Index: sold_by_hour_by_time.
 */
export async function readRevenue(db: Queryable, from: Date, to: Date): Promise<Revenue> {
  const { rows } = await db.query<Row>(
    `with sold as materialized (
       select s.product_id, p.name, s.currency, (h.hour at time zone 'UTC')::date as day,
              sum(h.orders) as orders, sum(h.units) as units, sum(h.revenue_minor) as revenue
       from sold_by_hour h join sales s using (sale_id) join products p using (product_id)
       where h.hour >= $1 and h.hour < $2 and not p.is_rehearsal
       group by s.product_id, p.name, s.currency, day
     ), product as (
       select product_id, name, currency, sum(orders) as orders, sum(units) as units, sum(revenue) as revenue
       from sold group by product_id, name, currency
     )
     select 'total' as kind, currency, null::text as day, null::bigint as "productId", null::text as name, ${sums}
     from sold group by currency
     union all
     select 'day', currency, to_char(day, 'YYYY-MM-DD'), null, null, ${sums}
     from sold group by currency, day
     union all
     select 'product', currency, null, product_id, name, ${sums}
     from (select * from product order by revenue desc, product_id limit $3) as best
     group by currency, product_id, name
     union all
     select 'most-sold', currency, null, product_id, name, ${sums}
     from (
       select *, row_number() over (partition by currency order by units desc, product_id) as place from product
     ) as placed where place <= $4 group by currency, product_id, name
     order by kind, day, "revenueMinor" desc, currency`,
    [from, to, productsMax, mostSoldMax],
  );
  const productsOf = (kind: 'product' | 'most-sold') =>
    rows.flatMap(row =>
      row.kind === kind ? [{ productId: row.productId, name: row.name, ...soldOf(row) }] : [],
    );
  return {
    totals: rows.flatMap(row => (row.kind === 'total' ? [soldOf(row)] : [])),
    days: rows.flatMap(row => (row.kind === 'day' ? [{ day: row.day, ...soldOf(row) }] : [])),
    products: productsOf('product'),
    mostSold: productsOf('most-sold').sort((a, b) => b.units - a.units || a.productId - b.productId),
  };
}

type Row = Sold &
  (
    | { kind: 'total' }
    | { kind: 'day'; day: string }
    | { kind: 'product' | 'most-sold'; productId: number; name: string }
  );

const sums = `sum(orders)::bigint as orders, sum(units)::bigint as units, sum(revenue)::bigint as "revenueMinor"`;

function soldOf({ currency, orders, units, revenueMinor }: Sold): Sold {
  return { currency, orders, units, revenueMinor };
}
