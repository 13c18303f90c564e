import type { Queryable } from '../platform/postgres.js';

/** The units that a shopper has in a sale, as of `version` of its stock. */
export type Units = { shopperId: string; units: number; version: number };

/** Reads these shoppers' units in a sale, and the version of its stock, in one snapshot. Index: allowances_pkey. */
export async function readUnits(
  db: Queryable,
  saleId: number,
  shopperIds: readonly string[],
): Promise<Units[]> {
  const { rows } = await db.query<Units>({
    name: 'read-units',
    text: `select allowances.shopper_id as "shopperId", allowances.units, stock.version
           from stock join allowances on allowances.sale_id = stock.sale_id
           where stock.sale_id = $1 and allowances.shopper_id = any ($2::text[])`,
    values: [saleId, shopperIds],
  });
  return rows;
}
