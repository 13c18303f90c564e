import { describe, expect, it } from 'vitest';
import { createKeepPartitions } from '../src/ledger/attempt-partitions.js';
import {
  type AttemptCursor,
  type AttemptFilter,
  countAttempts,
  listAttempts,
} from '../src/ledger/list-attempts.js';
import { orderIdOf } from '../src/orders/order-id.js';
import { runOnce } from '../src/platform/jobs/run-jobs.js';
import { inTransaction, type Pool } from '../src/platform/postgres.js';
import { insertAttempts, minutesAgo } from './support/attempt-rows.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';

describe('a query for attempts', () => {
  it.each<[string, AttemptFilter, string[]]>([
    ['no filter', {}, ['e', 'd', 'c', 'b', 'a']],
    ['a sale', { saleId: 1 }, ['c', 'b', 'a']],
    ['a product', { productId: 20 }, ['e', 'd']],
    ['a shopper', { shopperId: 'd' }, ['d']],
    ['an order', { orderId: orderIdOf('b', 'k') }, ['b']],
    ['an outcome', { outcome: 'sold-out' }, ['d', 'c']],
    ['a time', { from: minutesAgo(3), to: minutesAgo(1) }, ['d', 'c', 'b']],
    ['a sale and an outcome', { saleId: 1, outcome: 'sold-out' }, ['c']],
    ['a sale without attempts', { saleId: 3 }, []],
  ])('returns the matches for %s, newest first', async (_what, filter, shoppers) => {
    const { pool } = await createTestDatabase();
    for (let sale = 1; sale <= 2; sale++) await createTestSale(pool);
    await insertAttempts(pool, [
      { shopper: 'a', sale: 1, product: 10, outcome: 'confirmed', at: minutesAgo(4) },
      { shopper: 'b', sale: 1, product: 10, outcome: 'confirmed', at: minutesAgo(3) },
      { shopper: 'c', sale: 1, product: 10, outcome: 'sold-out', at: minutesAgo(2) },
      { shopper: 'd', sale: 2, product: 20, outcome: 'sold-out', at: minutesAgo(1.5) },
      { shopper: 'e', sale: null, product: 20, outcome: 'sale-not-open', at: minutesAgo(1) },
    ]);

    const { attempts } = await listAttempts(pool, filter, { limit: 1000 });

    expect(attempts.map(({ shopperId }) => shopperId)).toEqual(shoppers);
  });

  it('shows each attempt exactly once across pages and partitions, even if many share a timestamp', async () => {
    const { pool } = await createTestDatabase();
    await runOnce(createKeepPartitions(pool, 0));
    const moments = ['-2 days', '-1 second', '-999999 microseconds', '1 day', '5 days'];
    for (const moment of moments) {
      await pool.query(
        `insert into attempts
         select 1, 1, $1 || n, null, 1, 'sold-out', date_trunc('second', now()) + $1::interval, 1
         from generate_series(1, 60) as n`,
        [moment],
      );
    }

    const seen: string[] = [];
    const timesMs: number[] = [];
    let after: AttemptCursor | undefined;
    do {
      const page = await listAttempts(pool, { saleId: 1 }, { after, limit: 7 });
      expect(page.attempts.length).toBeLessThanOrEqual(7);
      seen.push(...page.attempts.map(({ shopperId }) => shopperId));
      timesMs.push(...page.attempts.map(({ answeredAt }) => answeredAt.getTime()));
      after = page.next ?? undefined;
    } while (after);

    expect(seen).toHaveLength(300);
    expect(new Set(seen).size).toBe(300);
    expect(timesMs).toEqual(timesMs.toSorted((a, b) => b - a));
  });

  it('uses an index for a shopper, a sale and the newest attempts, in small and large partitions', async () => {
    const { pool } = await createTestDatabase();
    for (let sale = 1; sale <= 50; sale++) await createTestSale(pool);
    await runOnce(createKeepPartitions(pool, 0));
    await pool.query(
      `insert into attempts
       select 1 + n % 50, 1, 's' || n % 5000, null, 1, 'sold-out', now() + n * interval '1 ms', 1
       from generate_series(1, 50000) as n`,
    );
    await pool.query('analyze attempts');

    expect(await rowsRead(pool, { shopperId: 's7' })).toBeLessThan(100);
    expect(await rowsRead(pool, { saleId: 7 })).toBeLessThan(200);
    expect(await rowsRead(pool, {})).toBeLessThan(2000);
    // Negative control: a query for an outcome that never occurred reads all rows.
    expect(await rowsRead(pool, { outcome: 'confirmed' })).toBeGreaterThan(10_000);
  });

  it('counts the attempts in a sale by outcome', async () => {
    const { pool } = await createTestDatabase();
    const at = minutesAgo(1);
    await insertAttempts(pool, [
      { shopper: 'a', sale: 1, product: 1, outcome: 'confirmed', at },
      { shopper: 'b', sale: 1, product: 1, outcome: 'sold-out', at },
      { shopper: 'c', sale: 1, product: 1, outcome: 'sold-out', at },
      { shopper: 'd', sale: 2, product: 1, outcome: 'sold-out', at },
    ]);

    expect(await countAttempts(pool, 1)).toEqual([
      { outcome: 'confirmed', attempts: 1 },
      { outcome: 'sold-out', attempts: 2 },
    ]);
    expect(await countAttempts(pool, 3)).toEqual([]);
  });
});

/** The number of rows that PostgreSQL reads for a page of ten, by its own count. */
async function rowsRead(pool: Pool, filter: AttemptFilter): Promise<number> {
  return inTransaction(pool, async tx => {
    await listAttempts(tx, filter, { limit: 10 });
    const { rows } = await tx.query<{ read: number }>(
      `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint as read
       from pg_stat_xact_user_tables where relname like 'attempts%'`,
    );
    return rows[0]?.read ?? 0;
  });
}
