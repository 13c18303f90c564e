import { randomUUID } from 'node:crypto';
import { finished } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { createKeepPartitions } from '../dist/ledger/attempt-partitions.js';
import { createDecide } from '../dist/ledger/decide.js';
import { runOnce } from '../dist/platform/jobs/run-jobs.js';
import { inTransaction } from '../dist/platform/postgres.js';
import { median } from './median.js';
import { newPurchase } from './new-purchase.js';
import { insertOpenSale } from './open-sale.js';
import { openOwnDatabase } from './own-database.js';
import { renderTable } from './write-measurement.js';

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

const database = await openOwnDatabase();
const { pool } = database;
try {
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
  const bare = figures[1];
  if (!bare) throw new Error('the list of variants is empty');
  const columns = [
    ...['attempts', `COPY of ${copyRows} rows, ms`, 'median, share'],
    ...[`${decideBatches * requestsPerBatch} orders, ms`, 'median, share'],
  ];
  const rows = figures.map(({ variant, copyMs, decideMs }) => [
    ...[variant.name, copyMs.join(' '), share(copyMs, bare.copyMs)],
    ...[decideMs.join(' '), share(decideMs, bare.decideMs)],
  ]);
  process.stdout.write(`${renderTable(columns, rows).join('\n')}\n`);
} finally {
  await database.close();
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

/** A million shoppers within a minute. Their ids do not reveal their order of arrival. */
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
    await decide(saleId, Array.from({ length: requestsPerBatch }, newPurchase));
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return Math.round(performance.now() - startMs);
}

function share(values: readonly number[], ofBare: readonly number[]): string {
  return `${median(values)}, ${(median(values) / median(ofBare)).toFixed(2)}`;
}
