import { createProduct } from '../../src/catalog/products.js';
import type { Recurrence } from '../../src/catalog/recurrence.js';
import { createPlanWindows, createSeries, type PlannedWindows } from '../../src/catalog/series.js';
import { runOnce } from '../../src/platform/jobs/run-jobs.js';
import type { Pool } from '../../src/platform/postgres.js';

export const hourMs = 3_600_000;
export const hourly: Recurrence = { cron: '0 * * * *', timeZone: 'Europe/Berlin' };

// Far from now, so that no test depends on the hour at which it runs.
export const start = new Date('2036-06-01T00:00:00Z');
export const at = (hours: number) => new Date(start.getTime() + hours * hourMs);

/** One round of planning, at the test's time. */
export async function planWindows(pool: Pool, now: Date) {
  const all: PlannedWindows = { planned: 0, passedOver: [] };
  const onPlanned = ({ planned, passedOver }: PlannedWindows) => {
    all.planned += planned;
    all.passedOver.push(...passedOver);
  };
  const { failures } = await runOnce(createPlanWindows(pool, onPlanned, async () => now));
  return { ...all, failures };
}

/** An hourly series with its first window; planned further only if that is near the present. */
export async function createHourly(pool: Pool, startsAt: Date) {
  const created = await createTestSeries(pool, startsAt, hourMs, hourly);
  if (created.outcome !== 'created' || created.sale.seriesId === null) throw new Error(created.outcome);
  return { productId: created.sale.productId, seriesId: created.sale.seriesId };
}

export async function createTestSeries(
  pool: Pool,
  startsAt: Date,
  durationMs: number,
  recurrence: Recurrence,
  productId?: number,
) {
  const product = await createProduct(pool, { name: 'Hourly', priceMinor: 100, currency: 'EUR' });
  const sale = {
    productId: productId ?? product.productId,
    startsAt,
    endsAt: new Date(startsAt.getTime() + durationMs),
    allocation: 50,
    perUserLimit: 3,
    holdTtlSeconds: 60,
    payment: 'required' as const,
    prizeOdds: 7,
  };
  return createSeries(pool, sale, recurrence);
}

type Window = {
  productId: number;
  startsAt: Date;
  endsAt: Date;
  available: number;
  limit: number;
  price: number;
  payment: string;
  odds: number;
  status: string;
};

export async function windowsOf(pool: Pool): Promise<Window[]> {
  const { rows } = await pool.query<Window>(
    `select product_id as "productId", starts_at as "startsAt", ends_at as "endsAt", available,
            per_user_limit as "limit", price_minor as price, payment, prize_odds as odds, status
     from sales join stock using (sale_id) where series_id is not null order by starts_at, product_id`,
  );
  return rows;
}

export async function startsOf(pool: Pool): Promise<string[]> {
  return (await windowsOf(pool)).map(({ startsAt }) => startsAt.toISOString());
}
