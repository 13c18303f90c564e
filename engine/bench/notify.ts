import { createAnnounce } from '../dist/ledger/announce.js';
import { createDecide } from '../dist/ledger/decide.js';
import { readRoutines } from '../dist/ledger/routines.js';
import { readConfig } from '../dist/platform/config/config.js';
import { migrate } from '../dist/platform/migrations.js';
import { createPool, type Queryable } from '../dist/platform/postgres.js';
import { newPurchase } from './new-purchase.js';
import { insertOpenSale } from './open-sale.js';

/**
 * `DATABASE_URL=... node engine/dist-bench/notify.js`: the cost of notifying inside the transaction that grants. With
 * 1, 2 and 8 sales at once, each sale has a batch of one purchase in progress. Each batch is decided in a transaction
 * that also notifies, or decided first and notified afterwards. Use a dedicated server whose flushes take milliseconds.
 */
const secondsPerRun = 4;
const rounds = 3;
const salesAtOnce = [1, 2, 8];

const config = { ...readConfig(process.env), DB_POOL_MAX: 20, DB_TIMEOUT: 60_000 };
if (config.DATABASE_URL === undefined) throw new Error('DATABASE_URL: expected a server for the measurement');
const pool = createPool(config.DATABASE_URL, config);
const announce = createAnnounce(pool, error => {
  throw error;
});
const afterwards = createDecide(pool);
const decide = {
  inside: createDecide(withNotification(pool)),
  async afterwards(...[saleId, requests]: Parameters<typeof afterwards>) {
    const decided = await afterwards(saleId, requests);
    if (decided.stock) announce.tell(decided.stock);
    return decided;
  },
};
const ways = ['inside', 'afterwards'] as const;

try {
  await migrate(pool, await readRoutines());
  for (const way of ways) await measure(way, 8);
  process.stdout.write('| round | sales at once | notified | decisions/s |\n|---|---|---|---|\n');
  for (let round = 1; round <= rounds; round++) {
    for (const sales of salesAtOnce) {
      for (const way of ways) {
        const perSecond = await measure(way, sales);
        process.stdout.write(`| ${round} | ${sales} | ${way} | ${Math.round(perSecond)} |\n`);
      }
    }
  }
} finally {
  await announce.close();
  await pool.end();
}

async function measure(way: (typeof ways)[number], sales: number): Promise<number> {
  const saleIds: number[] = [];
  for (let sale = 0; sale < sales; sale++) saleIds.push(await insertOpenSale(pool));
  const startMs = performance.now();
  const endMs = startMs + secondsPerRun * 1000;
  let count = 0;
  const buyUntilTheEnd = async (saleId: number) => {
    while (performance.now() < endMs) {
      await decide[way](saleId, [newPurchase()]);
      count += 1;
    }
  };
  await Promise.all(saleIds.map(buyUntilTheEnd));
  return (count * 1000) / (performance.now() - startMs);
}

/** As earlier builds did: the statement that decides also notifies, in one transaction and one round trip. */
function withNotification(db: Queryable): typeof pool {
  return new Proxy(pool, {
    get: (target, name) =>
      name !== 'query'
        ? Reflect.get(target, name)
        : (query: { text: string; values: unknown[] }) =>
            db.query({
              name: 'decide-and-notify',
              text: `with d as materialized (${query.text}) select d.*, pg_notify('doorbuster_stock', d.version::text) from d`,
              values: query.values,
            }),
  });
}
