import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { createDecide } from '../dist/ledger/decide.js';
import { createPool, type Pool } from '../dist/platform/postgres.js';
import { runLoadgen } from './run-loadgen.js';
import { openSale } from './sale.js';
import { startServer } from './servers.js';
import { describeMachine, renderPage, renderTable, today, writeMeasurement } from './write-measurement.js';

/**
 * `node engine/dist-bench/expiry.js`: the effect on a sale's purchases when 100,000 of its holds lapse at one instant.
 * Each of three rounds loads the same engine at a constant rate twice: first with nothing to expire, then across the
 * lapse. Writes raw figures to docs/measurements/.
 */
const holdCount = 100_000;
const holdsPerBatch = 500;
const ratePerSecond = 300;
const durationS = 20;
const rounds = 3;

type Figures = { p50Ms: number; p99Ms: number; p999Ms: number };
type Round = { calm: Figures; lapsing: Figures; expiredPerSecond: number; expiryS: number };

const reportSchema = z.object({
  latencyMs: z.object({ service: z.object({ p50: z.number(), p99: z.number(), p999: z.number() }) }),
  verdict: z.object({ result: z.string() }),
});

const server = await startServer('engine');
const databaseUrl = readFileSync(join(server.dataDir, 'database-url'), 'utf8').trim();
const settings = { DB_POOL_MAX: 2, DB_POOL_MIN: 0, DB_TIMEOUT: 60_000, DB_SSL: 'disable' } as const;
const pool = createPool(databaseUrl, settings);
try {
  const results: Round[] = [];
  for (let round = 0; round < rounds; round++) results.push(await measureRound(pool));
  report(results);
} finally {
  await pool.end();
  await server.stop();
}

async function measureRound(db: Pool): Promise<Round> {
  const productId = await openSale(server, holdCount + 1_000_000);
  const { rows } = await db.query<{ sale_id: number }>('select sale_id from sales where product_id = $1', [
    productId,
  ]);
  const saleId = rows[0]?.sale_id;
  if (saleId === undefined) throw new Error('the sale does not exist');
  const calm = await load(productId);
  await holdUnits(db, saleId);
  await db.query(
    `update orders set expires_at = clock_timestamp() + interval '8 seconds'
     where sale_id = $1 and status = 'RESERVED'`,
    [saleId],
  );
  const expiry = watchExpiry(db, saleId);
  const lapsing = await load(productId);
  return { calm, lapsing, ...(await expiry) };
}

async function holdUnits(db: Pool, saleId: number): Promise<void> {
  const decide = createDecide(db);
  for (let held = 0; held < holdCount; held += holdsPerBatch) {
    const requests = Array.from({ length: holdsPerBatch }, () => ({
      orderId: randomUUID(),
      shopperId: randomUUID(),
      quantity: 1,
      entrance: 'checkout' as const,
      receivedAtMs: performance.now(),
    }));
    await decide(saleId, requests);
  }
}

async function watchExpiry(db: Pool, saleId: number) {
  const reserved = async () => {
    const { rows } = await db.query<{ reserved: number }>('select reserved from stock where sale_id = $1', [
      saleId,
    ]);
    return rows[0]?.reserved ?? 0;
  };
  while ((await reserved()) === holdCount) await new Promise(resolve => setTimeout(resolve, 20));
  const startedAtMs = performance.now();
  while ((await reserved()) > 0) await new Promise(resolve => setTimeout(resolve, 20));
  const expiryS = (performance.now() - startedAtMs) / 1000;
  return { expiryS, expiredPerSecond: holdCount / expiryS };
}

async function load(productId: number): Promise<Figures> {
  const args = ['--scenario', 'constant', '--url', server.url, '--product-id', String(productId)];
  args.push('--rate', String(ratePerSecond), '--duration', String(durationS), '--connections', '100');
  const { latencyMs, verdict } = await runLoadgen([...args, '--no-verify'], reportSchema);
  if (verdict.result === 'fail') throw new Error('a purchase was refused');
  const { p50: p50Ms, p99: p99Ms, p999: p999Ms } = latencyMs.service;
  return { p50Ms, p99Ms, p999Ms };
}

function report(results: Round[]): void {
  const machine = describeMachine();
  const columns = [
    ...['calm P50', 'calm P99', 'lapsing P50', 'lapsing P99', 'lapsing P99.9'],
    ...['expiry, s', 'holds/s'],
  ];
  const page = renderPage(
    `Expiry of ${holdCount.toLocaleString('en')} holds at one instant, ${today()}`,
    [
      `Command: \`node engine/dist-bench/expiry.js\`. Purchases of the same sale at ${ratePerSecond}/s for ${durationS} s, first with nothing to`,
      'expire, then across the lapse. Latency in ms, one line per round.',
    ],
    machine,
    renderTable(columns, results.map(cellsOf)),
  );
  writeMeasurement('expiry', { machine, results }, { page });
  process.stdout.write(page);
}

function cellsOf({ calm, lapsing, expiryS, expiredPerSecond }: Round): (string | number)[] {
  const figures = [calm.p50Ms, calm.p99Ms, lapsing.p50Ms, lapsing.p99Ms, lapsing.p999Ms, expiryS];
  return [...figures.map(figure => figure.toFixed(1)), Math.round(expiredPerSecond)];
}
