import { createKeepPartitions } from '../dist/ledger/attempt-partitions.js';
import { createDecide } from '../dist/ledger/decide.js';
import { runOnce } from '../dist/platform/jobs/run-jobs.js';
import { newPurchase } from './new-purchase.js';
import { insertOpenSale } from './open-sale.js';
import { openOwnDatabase } from './own-database.js';
import { describeMachine, renderPage, renderTable, today, writeMeasurement } from './write-measurement.js';

/**
 * `node engine/dist-bench/primary.js`: the decision rate of one primary, without HTTP, with 1, 2, 4 and 8 sales at once
 * and one batch of 500 purchases in progress for each; and the WAL and disk space that an order takes. Writes raw figures
 * to docs/measurements/.
 */
const ordersPerRun = 48_000;
const requestsPerBatch = 500;
const salesAtOnce = [1, 2, 4, 8];
const rounds = 3;

type Figures = { sales: number; ordersPerSecond: number; walBytesPerOrder: number };

const database = await openOwnDatabase();
const { pool } = database;
const decide = createDecide(pool);
try {
  await runOnce(createKeepPartitions(pool, 0));
  const results: Figures[] = [];
  await measure(8);
  for (let round = 0; round < rounds; round++) {
    for (const sales of salesAtOnce) results.push(await measure(sales));
  }
  report(results, await bytesOnDiskPerOrder());
} finally {
  await database.close();
}

async function measure(sales: number): Promise<Figures> {
  const saleIds: number[] = [];
  for (let sale = 0; sale < sales; sale++) saleIds.push(await insertOpenSale(pool));
  await pool.query('checkpoint');
  const walBefore = await walPosition();
  const startMs = performance.now();
  await Promise.all(saleIds.map(saleId => buy(saleId, ordersPerRun / sales)));
  const seconds = (performance.now() - startMs) / 1000;
  const walBytes = (await walPosition()) - walBefore;
  const figures = {
    sales,
    ordersPerSecond: ordersPerRun / seconds,
    walBytesPerOrder: walBytes / ordersPerRun,
  };
  process.stderr.write(`${sales} sales: ${Math.round(figures.ordersPerSecond)} orders/s\n`);
  return figures;
}

async function buy(saleId: number, orders: number): Promise<void> {
  for (let bought = 0; bought < orders; bought += requestsPerBatch) {
    await decide(saleId, Array.from({ length: requestsPerBatch }, newPurchase));
  }
}

async function walPosition(): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>(
    `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text as bytes`,
  );
  return Number(rows[0]?.bytes);
}

async function bytesOnDiskPerOrder(): Promise<{ name: string; bytes: number }[]> {
  const { rows } = await pool.query<{ name: string; bytes: string }>(`
    select t.name, ((pg_total_relation_size(t.name::regclass) + coalesce(sum(pg_total_relation_size(p.relid)), 0))
                    / (select count(*) from orders))::text as bytes
      from unnest(array['orders', 'journal', 'allowances', 'attempts']) as t (name)
      left join lateral pg_partition_tree(t.name::regclass) p on p.level > 0
     group by t.name order by t.name`);
  return rows.map(({ name, bytes }) => ({ name, bytes: Math.round(Number(bytes)) }));
}

function report(results: Figures[], disk: { name: string; bytes: number }[]): void {
  const machine = describeMachine();
  const page = renderPage(
    `What one primary decides, ${today()}`,
    [
      `Command: \`node engine/dist-bench/primary.js\`. ${ordersPerRun.toLocaleString('en')} confirmed orders a run, batches of ${requestsPerBatch}, one batch of each`,
      'sale in progress at any time; no HTTP. The client that makes the requests shares the processors. One line per run.',
    ],
    machine,
    [
      ...renderTable(
        ['sales at once', 'orders/s', 'WAL, bytes an order'],
        results
          .toSorted((a, b) => a.sales - b.sales)
          .map(({ sales, ordersPerSecond, walBytesPerOrder }) =>
            [sales, ordersPerSecond, walBytesPerOrder].map(Math.round),
          ),
      ),
      ...['', 'On disk, bytes an order, indexes included:', ''],
      ...renderTable(
        ['table', 'bytes'],
        disk.map(({ name, bytes }) => [`\`${name}\``, bytes]),
      ),
    ],
  );
  writeMeasurement('primary', { machine, results, disk }, { page });
  process.stdout.write(page);
}
