import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createProduct } from '../dist/catalog/products.js';
import { createSale } from '../dist/catalog/sales.js';
import { readRoutines } from '../dist/ledger/routines.js';
import { createAcceptBatch } from '../dist/orders/accept-and-publish.js';
import { startEmbeddedPostgres } from '../dist/platform/embedded-postgres/start-postgres.js';
import { migrate } from '../dist/platform/migrations.js';
import { createPool, type Pool } from '../dist/platform/postgres.js';
import { createPostgresQueue } from '../dist/queue/postgres-queue.js';
import { median } from './median.js';
import { processorTimeS } from './processor-time.js';
import { makeDataDirectory, removeDirectory } from './temporary-directory.js';
import { describeMachine, renderPage, renderTable, today, writeMeasurement } from './write-measurement.js';

/**
 * `node engine/dist-bench/queue.js`: how fast one worker process decides queued orders. Each of three rounds accepts
 * 30,000 orders of one sale by 30,000 buyers, durable and published to the queue. It starts
 * `doorbuster worker` only then, with the machine to itself. Writes raw figures to docs/measurements/.
 *
 * The rate counts from the COMMIT of the worker's first batch to that of its last, without the orders of the first one,
 * so it excludes the start of the process. The load average shows whether other programs used the machine, and the CPU
 * time shows the cost of the work itself.
 */
const orderCount = 30_000;
const ordersPerBatch = 500;
const rounds = 3;
const roundTimeoutMs = 120_000;

type Drain = { decidedPerSecond: number; drainS: number; batches: number };
type Round = Drain & {
  acceptedPerSecond: number;
  /** Load average of the last minute when the round began. */
  loadBefore: number;
  workerCpuS: number;
  postgresCpuS: number;
};

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const dataDir = makeDataDirectory();
const server = await startEmbeddedPostgres({ dataDir });
const settings = { DB_POOL_MAX: 5, DB_POOL_MIN: 0, DB_TIMEOUT: 60_000, DB_SSL: 'disable' } as const;
const pool = createPool(server.databaseUrl, settings);
try {
  await migrate(pool, await readRoutines());
  const results: Round[] = [];
  for (let round = 0; round < rounds; round++) results.push(await measureRound(pool));
  report(results);
} finally {
  await pool.end();
  await server.stop();
  removeDirectory(dataDir);
}

async function measureRound(db: Pool): Promise<Round> {
  const [loadBefore = Number.NaN] = loadavg();
  const saleId = await openSale(db);
  const startedAtMs = performance.now();
  await acceptOrders(db, saleId);
  const acceptedPerSecond = (1000 * orderCount) / (performance.now() - startedAtMs);
  const postgresBeforeS = processorTimeS(server.pid);
  const worker = startWorker();
  try {
    await untilDecided(db, saleId, 1, worker);
    const workerBeforeS = processorTimeS(worker.pid ?? 0);
    await untilDecided(db, saleId, orderCount, worker);
    const workerCpuS = processorTimeS(worker.pid ?? 0) - workerBeforeS;
    const postgresCpuS = processorTimeS(server.pid) - postgresBeforeS;
    return {
      loadBefore,
      acceptedPerSecond,
      workerCpuS,
      postgresCpuS,
      ...(await readDrain(db, saleId)),
    };
  } finally {
    const exited = once(worker, 'exit');
    worker.kill('SIGTERM');
    await exited;
  }
}

async function openSale(db: Pool): Promise<number> {
  const { productId } = await createProduct(db, { name: 'Bench', priceMinor: 1999, currency: 'EUR' });
  const created = await createSale(db, {
    productId,
    startsAt: new Date(Date.now() - 60_000),
    endsAt: new Date(Date.now() + 3_600_000),
    allocation: orderCount,
    perUserLimit: 1,
    holdTtlSeconds: 900,
  });
  if (created.outcome !== 'created') throw new Error(`could not create a sale: ${created.outcome}`);
  return created.sale.saleId;
}

async function acceptOrders(db: Pool, saleId: number): Promise<void> {
  const queue = createPostgresQueue({ pool: db });
  const fail = (error: unknown) => {
    throw error;
  };
  const accept = createAcceptBatch({ pool: db, queue, onError: fail });
  for (let accepted = 0; accepted < orderCount; accepted += ordersPerBatch) {
    const requests = Array.from({ length: ordersPerBatch }, () => ({
      orderId: randomUUID(),
      shopperId: randomUUID(),
      quantity: 1,
      entrance: 'queued' as const,
      receivedAtMs: performance.now(),
    }));
    await accept(saleId, requests);
  }
  await queue.close();
}

function startWorker(): ChildProcess {
  return spawn(process.execPath, [main, 'worker'], {
    env: {
      ...process.env,
      NODE_ENV: 'development',
      DATABASE_URL: server.databaseUrl,
      DATA_DIR: dataDir,
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

// Polls rarely and reads one row: the number of units sold tells how many orders are decided.
async function untilDecided(db: Pool, saleId: number, enough: number, worker: ChildProcess): Promise<void> {
  const giveUpAtMs = performance.now() + roundTimeoutMs;
  for (;;) {
    const { rows } = await db.query<{ sold: number }>('select sold from stock where sale_id = $1', [saleId]);
    if ((rows[0]?.sold ?? 0) >= enough) return;
    if (worker.exitCode !== null) throw new Error(`the worker ended with ${worker.exitCode}`);
    if (performance.now() > giveUpAtMs)
      throw new Error(`only ${rows[0]?.sold} orders were decided in ${roundTimeoutMs} ms`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

async function readDrain(db: Pool, saleId: number): Promise<Drain> {
  const { rows } = await db.query<{ batches: number; drainS: number; measured: number }>(
    `select count(*) as batches, extract(epoch from max(at) - min(at))::float8 as "drainS",
            sum(orders)::int8 - (array_agg(orders order by at))[1] as measured
     from (select at, count(*) as orders from journal where sale_id = $1 and to_status = 'CONFIRMED' group by at) b`,
    [saleId],
  );
  const [row] = rows;
  if (!row) throw new Error('the journal returned no row');
  return { batches: row.batches, drainS: row.drainS, decidedPerSecond: row.measured / row.drainS };
}

function report(results: readonly Round[]): void {
  const machine = describeMachine();
  const medianPerSecond = median(results.map(({ decidedPerSecond }) => decidedPerSecond));
  const columns = [
    ...['decided, orders/s', 'drained in, s', 'batches', 'processor time: worker, s', 'PostgreSQL, s'],
    ...['load before', 'accepted, orders/s'],
  ];
  const page = renderPage(
    `One worker draining ${count(orderCount)} queued orders, ${today()}`,
    [
      'Command: `node engine/dist-bench/queue.js`. The orders are accepted first; then the worker starts and has the machine to',
      'itself. One line per round.',
    ],
    machine,
    [...renderTable(columns, results.map(cellsOf)), '', `Median: ${count(medianPerSecond)} orders/s.`],
  );
  writeMeasurement('queue', { machine, median: medianPerSecond, results }, { page });
  process.stdout.write(page);
}

function cellsOf(round: Round): (string | number)[] {
  const { decidedPerSecond, drainS, batches, workerCpuS, postgresCpuS, loadBefore, acceptedPerSecond } =
    round;
  return [
    ...[count(decidedPerSecond), drainS.toFixed(2), batches, workerCpuS.toFixed(2), postgresCpuS.toFixed(2)],
    ...[loadBefore.toFixed(1), count(acceptedPerSecond)],
  ];
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
