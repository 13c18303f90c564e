import { orderIdOf } from '../../src/orders/order-id.js';
import type { Pool } from '../../src/platform/postgres.js';
import { startTestApi } from './api.js';
import { createTestDatabase } from './database.js';
import { createTestSale } from './sale.js';

type Row = { shopper: string; sale: number | null; product: number; outcome: string; at: Date };

export async function insertAttempts(pool: Pool, rows: readonly Row[]): Promise<void> {
  for (const { shopper, sale, product, outcome, at } of rows) {
    await pool.query('insert into attempts values ($1, $2, $3, $4, 1, $5, $6, 1234)', [
      sale,
      product,
      shopper,
      orderIdOf(shopper, 'k'),
      outcome,
      at,
    ]);
  }
}

export function minutesAgo(minutes: number): Date {
  return new Date(Date.now() - minutes * 60_000);
}

/** Starts an API with a sale that has a limit of two units per shopper. */
export async function startWithSale(env: Record<string, string> = {}) {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool, { perUserLimit: 2 });
  const api = await startTestApi(url, env);
  return { api, pool, productId, saleId };
}
