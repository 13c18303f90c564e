import type { Queryable } from '../platform/postgres.js';

/**
 * The sales whose stock shoppers will ask about soon: those under way and those that begin within `aheadMs`, in order of
 * their start, at most `limit`. Index: sales_to_close, which has only sales that are not over.
 */
export async function findSalesToWarm(db: Queryable, aheadMs: number, limit: number): Promise<number[]> {
  const { rows } = await db.query<{ saleId: number }>({
    name: 'find-sales-to-warm',
    text: `select sale_id as "saleId" from sales
           where status <> 'ended' and ends_at > statement_timestamp()
             and starts_at < statement_timestamp() + make_interval(secs => $1)
           order by starts_at, sale_id limit $2`,
    values: [aheadMs / 1000, limit],
  });
  return rows.map(({ saleId }) => saleId);
}
