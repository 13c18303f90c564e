import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { createKeepPartitions } from '../dist/ledger/attempt-partitions.js';
import { createDecide } from '../dist/ledger/decide.js';
import { readRoutines } from '../dist/ledger/routines.js';
import { readConfig } from '../dist/platform/config/config.js';
import { openDatabase } from '../dist/platform/database.js';
import { runOnce } from '../dist/platform/jobs/run-jobs.js';
import { migrate } from '../dist/platform/migrations.js';
import { createPool, inTransaction } from '../dist/platform/postgres.js';
import { insertOpenSale } from './open-sale.js';

/**
 * The cost of indexes on `attempts`: COPY of refused attempts as the engine does it, and the decision that writes its
 * attempts together with the orders. The variants alternate within each round. Prints Markdown.
 */
const rounds = 3;
const copyRows = 1_000_000;
const rowsPerCopy = 30_000;
const decideBatches = 40;
const requestsPerBatch = 500;

const indexes = {
  shopper: 'create index bench_shopper on attempts (shopper_id, answered_at)',
  shopperHash: 'create index bench_shopper_hash on attempts using hash (shopper_id)',
  time: 'create index bench_time on attempts (answered_at)',
  saleBrin: 'create index bench_sale_brin on attempts using brin (sale_id) with (autosummarize = on)',
  sale: 'create index bench_sale on attempts (sale_id, answered_at)',
};

const variants: { name: string; isByDay: boolean; indexes: (keyof typeof indexes)[] }[] = [
  { name: 'one table, no index', isByDay: false, indexes: [] },
  { name: 'by day, no index', isByDay: true, indexes: [] },
  { name: 'by day, shopper', isByDay: true, indexes: ['shopper'] },
  { name: 'by day, shopper (hash)', isByDay: true, indexes: ['shopperHash'] },
  { name: 'by day, time', isByDay: true, indexes: ['time'] },
  { name: 'by day, sale (BRIN)', isByDay: true, indexes: ['saleBrin'] },
  { name: 'by day, sale', isByDay: true, indexes: ['sale'] },
  { name: 'by day, shopper and sale', isByDay: true, indexes: ['shopper', 'sale'] },
];

const dataDir = mkdtempSync(join(tmpdir(), 'doorbuster-bench-'));
await chmod(dataDir, 0o711);
const config = { ...readConfig({ DATA_DIR: dataDir }), DB_TIMEOUT: 600_000 };
const database = await openDatabase(config, { onProgress: () => {} });
const pool = createPool(database.url, config);
try {
  await migrate(pool, await readRoutines());
  const saleId = await insertOpenSale(pool);
  const chunks = makeChunks(saleId);
  const figures = variants.map(variant => ({ variant, copyMs: [] as number[], decideMs: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { variant, copyMs, decideMs } of figures) {
      await prepare(variant);
      copyMs.push(await timed(() => copyAll(chunks)));
      decideMs.push(await timed(() => decideAll(saleId)));
    }
  }
  process.stdout.write(
    `| attempts | COPY of ${copyRows} rows, ms | median, share | ${decideBatches * requestsPerBatch} orders, ms | median, share |\n`,
  );
  process.stdout.write('|---|---|---|---|---|\n');
  const bare = figures[1];
  if (!bare) throw new Error('no baseline variant');
  for (const { variant, copyMs, decideMs } of figures) {
    const cells = [
      copyMs.join(' '),
      `${median(copyMs)}, ${(median(copyMs) / median(bare.copyMs)).toFixed(2)}`,
      decideMs.join(' '),
      `${median(decideMs)}, ${(median(decideMs) / median(bare.decideMs)).toFixed(2)}`,
    ];
    process.stdout.write(`| ${variant.name} | ${cells.join(' | ')} |\n`);
  }
} finally {
  await pool.end();
  await database.close();
  rmSync(dataDir, { recursive: true, force: true });
}

async function prepare({ isByDay, indexes: wanted }: (typeof variants)[number]): Promise<void> {
  await pool.query('drop table attempts');
  await pool.query(`create table attempts (
    sale_id bigint, product_id bigint not null, shopper_id text not null, order_id uuid, quantity integer not null,
    outcome text not null, answered_at timestamptz not null, duration_us integer not null
  ) ${isByDay ? 'partition by range (answered_at)' : ''}`);
  for (const index of wanted) await pool.query(indexes[index]);
  if (isByDay) {
    await pool.query('create table attempts_default partition of attempts default');
    await runOnce(createKeepPartitions(pool, 0));
  }
  await pool.query('truncate orders, journal, allowances');
  await pool.query('checkpoint');
}

/** A million shoppers within a minute. Their ids say nothing about the order in which they came. */
function makeChunks(saleId: number): Buffer[] {
  const startMs = Date.now();
  const chunks: Buffer[] = [];
  for (let from = 0; from < copyRows; from += rowsPerCopy) {
    const lines = Array.from({ length: Math.min(rowsPerCopy, copyRows - from) }, (_, i) => {
      const at = new Date(startMs + ((from + i) * 60_000) / copyRows).toISOString();
      return `${saleId}\t1\tshopper-${randomUUID().slice(0, 13)}\t\\N\t1\tsold-out\t${at}\t1234\n`;
    });
    chunks.push(Buffer.from(lines.join('')));
  }
  return chunks;
}

async function copyAll(chunks: readonly Buffer[]): Promise<void> {
  for (const chunk of chunks) {
    await inTransaction(pool, async tx => {
      const stream = tx.query(copyFrom('copy attempts from stdin'));
      stream.end(chunk);
      await finished(stream);
    });
  }
}

async function decideAll(saleId: number): Promise<void> {
  const decide = createDecide(pool);
  for (let batch = 0; batch < decideBatches; batch++) {
    const requests = Array.from({ length: requestsPerBatch }, () => {
      const orderId = randomUUID();
      return { orderId, shopperId: `shopper-${orderId}`, quantity: 1, receivedAtMs: performance.now() };
    });
    await decide(saleId, requests);
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return Math.round(performance.now() - startMs);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
