import { inTransaction, type Pool } from '../../src/platform/postgres.js';

/**
 * Makes holds lapse now, as time would: under the lock of the sale's stock, so that no transaction sees its clock
 * jump. Earlier redemptions still count as earlier.
 */
export async function lapse(pool: Pool, saleId: number, orderIds: readonly string[]): Promise<void> {
  await inTransaction(pool, async tx => {
    await tx.query('select from stock where sale_id = $1 for update', [saleId]);
    await tx.query(
      `update orders
       set expires_at = statement_timestamp() - interval '1 second',
           redeemed_at = case when redeemed_at is not null then statement_timestamp() - interval '1 second' end
       where sale_id = $1 and order_id = any ($2::uuid[]) and status = 'RESERVED'`,
      [saleId, orderIds],
    );
  });
}
