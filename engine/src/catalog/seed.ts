import { type Client, inTransaction, type Pool } from '../platform/postgres.js';
import { createProduct, type NewProduct } from './products.js';
import { insertSale } from './sales.js';
import { insertSeries } from './series.js';

const hourMs = 3_600_000;

type Demo = {
  product: NewProduct;
  sale?: { startsInMs: number; allocation: number; perUserLimit: number; payment?: 'required' };
  hourly?: { allocation: number; perUserLimit: number; prizeOdds: number };
};

// One drop that is open now, one that is scarce and requires payment, one that opens later, and one that repeats hourly.
const demo: Demo[] = [
  {
    product: {
      name: 'Meridian trainers',
      description: 'Night-blue runners with a reflective seam. One drop, no second batch.',
      imageUrl: '/pictures/meridian-trainers.svg',
      priceMinor: 12_900,
      currency: 'EUR',
    },
    sale: { startsInMs: 0, allocation: 10_000, perUserLimit: 10 },
  },
  {
    product: {
      name: 'Lantern turntable',
      description: 'A belt-driven deck in a walnut case; fifty were made.',
      imageUrl: '/pictures/lantern-turntable.svg',
      priceMinor: 64_900,
      currency: 'EUR',
    },
    sale: { startsInMs: 0, allocation: 50, perUserLimit: 1, payment: 'required' },
  },
  {
    product: {
      name: 'Harbour festival, two-day ticket',
      description: 'Two days of brass, boats and bonfires on the old quay. The ticket is good for both.',
      imageUrl: '/pictures/harbour-festival.svg',
      priceMinor: 18_500,
      currency: 'EUR',
    },
    sale: { startsInMs: hourMs, allocation: 5000, perUserLimit: 4 },
  },
  {
    product: {
      name: 'Cartographer backpack',
      description: 'Waxed canvas, 28 litres. 10,000 every hour, and one purchase in a hundred wins.',
      imageUrl: '/pictures/cartographer-backpack.svg',
      priceMinor: 8900,
      currency: 'EUR',
    },
    hourly: { allocation: 10_000, perUserLimit: 10, prizeOdds: 100 },
  },
];

/** Adds the whole demo catalogue to a database without products, or nothing. @returns how many products were added. */
export async function seedCatalog(pool: Pool): Promise<number> {
  return inTransaction(pool, async tx => {
    // If two engines start on one database at the same time, only one adds the catalogue.
    await tx.query('lock table products in share row exclusive mode');
    const { rows } = await tx.query<{ is_empty: boolean; now: Date }>(
      'select not exists (select from products) as is_empty, clock_timestamp() as now',
    );
    const [row] = rows;
    if (!row?.is_empty) return 0;
    for (const entry of demo) await addDemo(tx, entry, row.now.getTime());
    return demo.length;
  });
}

async function addDemo(tx: Client, { product, sale, hourly }: Demo, nowMs: number): Promise<void> {
  const { productId } = await createProduct(tx, product);
  if (sale) {
    const { startsInMs, ...terms } = sale;
    const startsAt = new Date(nowMs + startsInMs);
    const endsAt = new Date(startsAt.getTime() + 30 * 24 * hourMs);
    await insertSale(tx, { productId, startsAt, endsAt, holdTtlSeconds: 900, ...terms });
  }
  if (hourly) {
    const startsAt = new Date(Math.floor(nowMs / hourMs) * hourMs);
    const endsAt = new Date(startsAt.getTime() + hourMs);
    const first = { productId, startsAt, endsAt, holdTtlSeconds: 900, ...hourly };
    await insertSeries(tx, first, { cron: '0 * * * *', timeZone: 'UTC' });
  }
}
