import type { Queryable } from '../platform/postgres.js';

/** The stock of a sale that is under way. */
type LiveStock = {
  saleId: number;
  productId: number;
  productName: string;
  status: 'active' | 'paused';
  allocation: number;
  available: number;
  reserved: number;
  sold: number;
};

export type LiveStocks = {
  sales: LiveStock[];
  /** All sales under way, including those beyond the limit. */
  saleCount: number;
};

/**
 * The sales whose window is now, the latest start first, at most `limit`, for monitoring. Locks: none. Index:
 * sales_to_close, which has only sales that are not over.
 */
export async function readLiveStock(db: Queryable, limit: number): Promise<LiveStocks> {
  const { rows } = await db.query<LiveStock & { saleCount: number }>({
    name: 'read-live-stock',
    text: `select s.sale_id as "saleId", s.product_id as "productId", p.name as "productName", s.status,
                  k.allocation, k.available, k.reserved, k.sold, count(*) over () as "saleCount"
           from sales s join products p using (product_id) join stock k using (sale_id)
           where s.status <> 'ended' and s.ends_at > statement_timestamp() and s.starts_at <= statement_timestamp()
           order by s.starts_at desc, s.sale_id desc limit $1`,
    values: [limit],
  });
  return { sales: rows.map(({ saleCount: _, ...sale }) => sale), saleCount: rows[0]?.saleCount ?? 0 };
}
