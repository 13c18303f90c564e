import { createOpenAndClose } from '../../src/catalog/open-and-close.js';
import { createProduct } from '../../src/catalog/products.js';
import { createSale, type Payment, type Sale } from '../../src/catalog/sales.js';
import { createAnnounce } from '../../src/ledger/announce.js';
import { readStock } from '../../src/ledger/stock.js';
import { runOnce } from '../../src/platform/jobs/run-jobs.js';
import type { Pool } from '../../src/platform/postgres.js';

export type SaleOptions = {
  allocation?: number;
  perUserLimit?: number;
  perPaymentLimit?: number;
  perAddressLimit?: number;
  priceMinor?: number;
  /** Relative to now; an open sale by default. */
  startsInMs?: number;
  endsInMs?: number;
  holdTtlSeconds?: number;
  payment?: Payment;
  prizeOdds?: number;
  challenge?: number;
  requiresToken?: boolean;
};

/** A product with a sale, open for an hour by default. */
export async function createTestSale(pool: Pool, options: SaleOptions = {}): Promise<Sale> {
  const {
    allocation = 100,
    perUserLimit = 10,
    priceMinor = 1999,
    startsInMs = -1000,
    endsInMs = 3_600_000,
    holdTtlSeconds = 900,
    ...terms
  } = options;
  const { productId } = await createProduct(pool, { name: 'Test product', priceMinor, currency: 'EUR' });
  const created = await createSale(pool, {
    productId,
    startsAt: new Date(Date.now() + startsInMs),
    endsAt: new Date(Date.now() + endsInMs),
    allocation,
    perUserLimit,
    holdTtlSeconds,
    ...terms,
  });
  if (created.outcome !== 'created') throw new Error(`cannot create the test's sale: ${created.outcome}`);
  return created.sale;
}

/** One round of opening and closing. @returns how many sales changed. */
export async function openAndClose(pool: Pool): Promise<number> {
  return (await runOnce(createOpenAndClose(pool))).count;
}

export async function stockOf(pool: Pool, saleId: number) {
  const { rows } = await pool.query<{
    allocation: number;
    available: number;
    reserved: number;
    sold: number;
  }>('select allocation, available, reserved, sold from stock where sale_id = $1', [saleId]);
  const [stock] = rows;
  if (!stock) throw new Error(`sale ${saleId} has no stock row`);
  return stock;
}

/** Notifies every process of the sale's stock, as the process that changed it does. */
export async function tellStock(pool: Pool, saleId: number): Promise<void> {
  const announce = createAnnounce(pool, error => {
    throw error;
  });
  for (const stock of await readStock(pool, [saleId])) announce.tell(stock);
  await announce.close();
}

/** Locks the sale's stock row, so that no purchase is decided. @returns what unlocks it. */
export async function lockStock(pool: Pool, saleId: number): Promise<() => Promise<void>> {
  const client = await pool.connect();
  await client.query('begin');
  // Held until the test releases it, whatever the pool's own timeout is.
  await client.query('set local idle_in_transaction_session_timeout = 0');
  await client.query('select from stock where sale_id = $1 for update', [saleId]);
  return async () => {
    await client.query('rollback');
    client.release();
  };
}
