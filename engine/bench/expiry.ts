import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { createDecide } from '../dist/ledger/decide.js';
import { createPool, type Pool } from '../dist/platform/postgres.js';
import { describeMachine } from './report.js';
import { openSale } from './sale.js';
import { credentials, startServer } from './servers.js';

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

const loadgen = fileURLToPath(new URL('../../loadgen/dist/main.js', import.meta.url));
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
  const directory = mkdtempSync(join(tmpdir(), 'doorbuster-bench-'));
  const file = join(directory, 'report.json');
  const args = ['--scenario', 'constant', '--url', server.url, '--product-id', String(productId)];
  args.push('--rate', String(ratePerSecond), '--duration', String(durationS), '--connections', '100');
  const child = spawn(process.execPath, [loadgen, ...args, '--no-verify', '--quiet', '--json', file], {
    env: { ...process.env, ...credentials },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await once(child, 'exit');
  const { latencyMs, verdict } = reportSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  rmSync(directory, { recursive: true });
  if (verdict.result === 'fail') throw new Error('a purchase was refused');
  const { p50: p50Ms, p99: p99Ms, p999: p999Ms } = latencyMs.service;
  return { p50Ms, p99Ms, p999Ms };
}

function report(results: Round[]): void {
  const date = new Date().toISOString().slice(0, 10);
  const machine = describeMachine();
  const line = ({ calm, lapsing, expiryS, expiredPerSecond }: Round) =>
    `| ${calm.p50Ms.toFixed(1)} | ${calm.p99Ms.toFixed(1)} | ${lapsing.p50Ms.toFixed(1)} | ${lapsing.p99Ms.toFixed(1)} | ${lapsing.p999Ms.toFixed(1)} | ${expiryS.toFixed(1)} | ${Math.round(expiredPerSecond)} |`;
  const text = [
    `# Expiry of ${holdCount.toLocaleString('en')} holds at one instant, ${date}`,
    '',
    `Command: \`node engine/dist-bench/expiry.js\`. Purchases of the same sale at ${ratePerSecond}/s for ${durationS} s, first with nothing to`,
    'expire, then across the lapse. Latency in ms, one line per round.',
    '',
    ...Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`),
    '',
    '| calm P50 | calm P99 | lapsing P50 | lapsing P99 | lapsing P99.9 | expiry, s | holds/s |',
    '|---|---|---|---|---|---|---|',
    ...results.map(line),
    '',
  ].join('\n');
  const directory = fileURLToPath(new URL('../../docs/measurements/', import.meta.url));
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${date}-expiry.md`), text);
  writeFileSync(
    join(directory, `${date}-expiry.json`),
    `${JSON.stringify({ machine, results }, undefined, 2)}\n`,
  );
  process.stdout.write(text);
}
