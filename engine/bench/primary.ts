import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createKeepPartitions } from '../dist/ledger/attempt-partitions.js';
import { createDecide } from '../dist/ledger/decide.js';
import { readRoutines } from '../dist/ledger/routines.js';
import { readConfig } from '../dist/platform/config/config.js';
import { openDatabase } from '../dist/platform/database.js';
import { runOnce } from '../dist/platform/jobs/run-jobs.js';
import { migrate } from '../dist/platform/migrations.js';
import { createPool } from '../dist/platform/postgres.js';
import { insertOpenSale } from './open-sale.js';
import { describeMachine } from './report.js';

/**
 * `node engine/dist-bench/primary.js`: the decision rate of one primary, without HTTP, with 1, 2, 4 and 8 sales at once
 * and one batch of 500 purchases under way for each; and the WAL and disk space that an order takes. Writes raw figures
 * to docs/measurements/.
 */
const ordersPerRun = 48_000;
const requestsPerBatch = 500;
const salesAtOnce = [1, 2, 4, 8];
const rounds = 3;

type Figures = { sales: number; ordersPerSecond: number; walBytesPerOrder: number };

const dataDir = mkdtempSync(join(tmpdir(), 'doorbuster-bench-'));
// When root runs this, the database server runs as another user, who must be able to enter this directory.
await chmod(dataDir, 0o711);
const config = { ...readConfig({ DATA_DIR: dataDir }), DB_TIMEOUT: 600_000 };
const database = await openDatabase(config, { onProgress: () => {} });
const pool = createPool(database.url, config);
const decide = createDecide(pool);
try {
  await migrate(pool, await readRoutines());
  await runOnce(createKeepPartitions(pool, 0));
  const results: Figures[] = [];
  await measure(8);
  for (let round = 0; round < rounds; round++) {
    for (const sales of salesAtOnce) results.push(await measure(sales));
  }
  report(results, await bytesOnDiskPerOrder());
} finally {
  await pool.end();
  await database.close();
  rmSync(dataDir, { recursive: true, force: true });
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
    const requests = Array.from({ length: requestsPerBatch }, () => {
      const orderId = randomUUID();
      return { orderId, shopperId: `shopper-${orderId}`, quantity: 1, receivedAtMs: performance.now() };
    });
    await decide(saleId, requests);
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
  const text = [
    `# Decision rate of one primary, ${new Date().toISOString().slice(0, 10)}`,
    '',
    `Command: \`node engine/dist-bench/primary.js\`. ${ordersPerRun.toLocaleString('en')} confirmed orders per run, batches of ${requestsPerBatch}, one batch per`,
    'sale under way at any time, no HTTP. The client that sends the requests shares the processors. One line per run.',
    '',
    ...Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`),
    '',
    '| sales at once | orders/s | WAL, bytes per order |',
    '|---|---|---|',
    ...results
      .toSorted((a, b) => a.sales - b.sales)
      .map(
        ({ sales, ordersPerSecond, walBytesPerOrder }) =>
          `| ${sales} | ${Math.round(ordersPerSecond)} | ${Math.round(walBytesPerOrder)} |`,
      ),
    '',
    'On disk, bytes per order, including indexes:',
    '',
    '| table | bytes |',
    '|---|---|',
    ...disk.map(({ name, bytes }) => `| \`${name}\` | ${bytes} |`),
    '',
  ].join('\n');
  const directory = fileURLToPath(new URL('../../docs/measurements/', import.meta.url));
  const name = `${new Date().toISOString().slice(0, 10)}-primary`;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name}.md`), text);
  writeFileSync(
    join(directory, `${name}.json`),
    `${JSON.stringify({ machine, results, disk }, undefined, 2)}\n`,
  );
  process.stdout.write(text);
}
