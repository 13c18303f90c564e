import type { Queryable } from '../platform/postgres.js';
import { type Sale, type SalePhase, saleColumns } from './sales.js';

/** A sale as operators see it, with its product and its stock. */
export type ListedSale = Sale & {
  productName: string;
  imageUrl: string | null;
  allocation: number;
  available: number;
  reserved: number;
  sold: number;
};

/** Omitted fields do not filter. */
export type SaleFilter = {
  saleId?: number | undefined;
  productId?: number | undefined;
  state?: SalePhase | undefined;
};

/**
 * Sales that match the filter, newest first, at most `limit`, created before `before`. Sales of rehearsals are included only
 * if the filter names their id. Index: sales_pkey from its end; a filter by a rare state reads all sales, which are about
 * ten thousand after a year of hourly ones.
 */
export async function listSales(
  db: Queryable,
  { saleId, productId, state }: SaleFilter,
  { before, limit }: { before: number | undefined; limit: number },
): Promise<ListedSale[]> {
  const { rows } = await db.query<ListedSale>(
    `select ${saleColumns}, product_name as "productName", image_url as "imageUrl", allocation, available, reserved, sold
     from (
       select s.*, p.name as product_name, p.image_url, p.is_rehearsal, k.allocation, k.available, k.reserved, k.sold,
              case when s.status = 'ended' or s.ends_at <= clock_timestamp() then 'ended'
                   when s.starts_at > clock_timestamp() then 'upcoming'
                   when s.status = 'paused' then 'paused'
                   else 'open' end as state
       from sales s join products p using (product_id) join stock k using (sale_id)
     ) sales
     where ($1::bigint is null and not is_rehearsal or sale_id = $1)
       and ($2::bigint is null or product_id = $2)
       and ($3::text is null or state = $3)
       and ($4::bigint is null or sale_id < $4)
     order by sale_id desc limit $5`,
    [saleId, productId, state, before, limit],
  );
  return rows;
}
