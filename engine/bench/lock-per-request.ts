import pino from 'pino';
import { type AppOptions, startApp } from '../dist/app/app.js';
import { readRoutines } from '../dist/ledger/routines.js';
import { readConfig } from '../dist/platform/config/config.js';
import { openDatabase } from '../dist/platform/database.js';
import { migrate } from '../dist/platform/migrations.js';
import { createPool, inTransaction, type Pool } from '../dist/platform/postgres.js';
import { readSecrets } from '../dist/platform/secrets.js';

/**
 * The baseline: the same HTTP server, tables and answers, but one transaction per request that locks the stock row with
 * SELECT ... FOR UPDATE, as most shops do. Written with care: prepared statements, four round trips, a pool of 20
 * (more connections on one hot row were slower).
 */
const poolMax = 20;

type Join = ReturnType<NonNullable<AppOptions['createDecisions']>>['join'];

const lockAndRead = {
  name: 'lock-and-read',
  text: `select k.available, k.reserved, k.sold, k.allocation, k.version, s.per_user_limit, s.price_minor, s.product_id,
                s.status = 'active' and clock_timestamp() >= s.starts_at and clock_timestamp() < s.ends_at as is_open,
                coalesce((select units from allowances where sale_id = k.sale_id and shopper_id = $2), 0) as units,
                exists (select from orders where order_id = $3) as is_known
         from stock k join sales s using (sale_id) where k.sale_id = $1 for update of k`,
};

const write = {
  name: 'write',
  text: `with to_allowances as (
           insert into allowances (sale_id, shopper_id, units) values ($1, $3, $4)
           on conflict (sale_id, shopper_id) do update set units = allowances.units + excluded.units
         ), to_orders as (
           insert into orders (sale_id, order_id, shopper_id, quantity, price_minor, total_minor, status, created_at)
           values ($1, $2, $3, $4::integer, $5::bigint, $4::integer * $5::bigint, 'CONFIRMED', clock_timestamp())
         ), to_journal as (
           insert into journal (sale_id, order_id, seq, from_status, to_status, quantity, at)
           values ($1, $2, 1, 'NEW', 'CONFIRMED', $4, clock_timestamp())
         ), to_attempts as (
           insert into attempts (sale_id, product_id, shopper_id, order_id, quantity, outcome, answered_at, duration_us)
           values ($1, $6, $3, $2, $4, 'confirmed', clock_timestamp(), 0)
         )
         update stock set available = available - $4, sold = sold + $4, version = version + 1
         where sale_id = $1 returning available, clock_timestamp() as created_at`,
};

const boughtDirectly = {
  currency: 'EUR',
  entrance: 'direct',
  status: 'CONFIRMED',
  reason: null,
  expiresAt: null,
  prize: null,
} as const;

function createJoin(pool: Pool): Join {
  return (saleId, { orderId, shopperId, quantity }) =>
    inTransaction(pool, async tx => {
      const read = await tx.query({ ...lockAndRead, values: [saleId, shopperId, orderId] });
      const row = read.rows[0];
      if (row.is_known) return { outcome: 'key-reused' };
      if (!row.is_open) return { outcome: 'sale-not-open' };
      if (quantity > row.available) return { outcome: 'sold-out' };
      if (row.units + quantity > row.per_user_limit) return { outcome: 'limit-reached' };
      const values = [saleId, orderId, shopperId, quantity, row.price_minor, row.product_id];
      const written = await tx.query({ ...write, values });
      const { available, created_at: createdAt } = written.rows[0];
      const totalMinor = quantity * row.price_minor;
      return {
        outcome: 'confirmed',
        order: { ...boughtDirectly, saleId, quantity, totalMinor, createdAt },
        remaining: available,
      };
    });
}

const config = { ...readConfig(process.env), DB_POOL_MAX: poolMax };
const database = await openDatabase(config, { onProgress: () => {} });
const pool = createPool(database.url, config);
await migrate(pool, await readRoutines());
await pool.end();
const api = await startApp({
  roles: ['api'],
  config,
  secrets: await readSecrets(config),
  databaseUrl: database.url,
  logger: pino({ level: 'warn' }, pino.destination(2)),
  createDecisions: parts => {
    const join = createJoin(parts.pool);
    return {
      join,
      add(saleId, purchase, answer, patience) {
        const refuse = () => answer({ outcome: 'overloaded' });
        join(saleId, purchase, patience).then(answer, refuse);
      },
      drained: async () => {},
      waiting: () => 0,
      inHand: () => 0,
      oldestWaitMs: () => 0,
    };
  },
});
process.on('SIGTERM', async () => {
  await api.drain();
  await database.close();
  process.exit(0);
});
