import { describe, expect, it, onTestFinished } from 'vitest';
import { spawnEngine } from '../drill/engine-process.js';
import { findFreePort } from '../drill/servers/free-port.js';
import { endsWithin } from '../src/platform/backoff.js';
import type { Pool } from '../src/platform/postgres.js';
import { serviceHeaders } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { apiKey, operatorToken, secrets } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { type EngineProcess, startApiProcesses, startRoleProcess } from './support/engine.js';
import { acceptOrders } from './support/queued.js';
import { createTestSale, stockOf } from './support/sale.js';

// So long that only a second signal ends a process whose work hangs.
const patient = {
  DECISION_DEADLINE_MS: '60000',
  DB_TIMEOUT: '60000',
  DRAIN_DELAY_MS: '0',
  DRAIN_TIMEOUT_MS: '60000',
};

describe('a second signal', () => {
  it.each<[string, (url: string) => Promise<EngineProcess>]>([
    ['the API', url => startRoleProcess('api', url, patient)],
    ['the API in two processes', url => startApiProcesses(2, url, patient)],
  ])(
    'makes %s exit at once with 1 while a purchase hangs, and leaves nothing half done',
    async (_, start) => {
      const { url, pool } = await createTestDatabase();
      const { productId, saleId } = await createTestSale(pool);
      const engine = await start(url);
      const release = await lockStock(pool, saleId);
      const answer = purchase(engine.url, productId);
      await until('the purchase hangs', () => someoneWaits(pool), 20_000);

      expect(await signalTwice(engine)).toBe(1);

      expect(await answer).toBeUndefined();
      for (const pid of pidsOf(engine)) await until(`${pid} has ended`, () => hasEnded(pid), 20_000);
      // The database may still have the purchase, or end it with its connection: no answer was sent either way.
      await release();
      await until('the database has released it', async () => !(await hasSessions(pool)), 20_000);
      const { sold, available } = await stockOf(pool, saleId);
      expect(sold + available).toBe(100);
      await expectCleanAudit(pool);
    },
  );

  it('makes a worker exit at once with 1 while its batch hangs; another decides the orders', async () => {
    const { url, pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool);
    await acceptOrders(pool, saleId, 20);
    const release = await lockStock(pool, saleId);
    const worker = await startRoleProcess('worker', url, patient);
    await until('the batch hangs', () => someoneWaits(pool), 20_000);

    expect(await signalTwice(worker)).toBe(1);

    await release();
    await startRoleProcess('worker', url);
    await until('all are decided', async () => (await stockOf(pool, saleId)).sold === 20, 20_000);
    await expectCleanAudit(pool);
  });
});

describe('a signal to a process that is still starting', () => {
  it('lets it finish the purchases it has already received, and then ends it', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool);
    const release = await lockStock(pool, saleId);
    const port = await findFreePort();
    const engine = spawnEngine(['api'], {
      ...process.env,
      ...patient,
      NODE_ENV: 'development',
      DATABASE_URL: url,
      PORT: String(port),
      WEB_ENABLED: 'false',
      API_KEY: apiKey,
      OPERATOR_TOKEN: operatorToken,
      SECRET_KEY: secrets.secretKey,
    });
    onTestFinished(() => engine.kill('SIGKILL').then(() => {}));
    // It listens before it copies its listener and reports that it is running.
    const buy = () => purchase(`http://127.0.0.1:${port}`, productId);
    let answer = buy();
    const giveUpAtMs = performance.now() + 20_000;
    while (performance.now() < giveUpAtMs && !(await someoneWaits(pool))) {
      if (await endsWithin(answer, 5)) answer = buy();
    }
    const ended = engine.kill('SIGTERM');
    await release();
    expect(await answer).toBe(200);
    expect(await ended).toBe(0);
  }, 60_000);
});

/** @returns its status, undefined if there is no answer. */
function purchase(url: string, productId: number): Promise<number | undefined> {
  const answer = fetch(`${url}/api/purchase`, {
    method: 'POST',
    headers: { ...serviceHeaders, 'content-type': 'application/json' },
    body: JSON.stringify({ productId, userId: 'a' }),
  });
  return answer.then(
    ({ status }) => status,
    () => undefined,
  );
}

/**
 * Sends SIGTERM until it ends. One key press arrives as two signals, so a signal within a second does not count as
 * a second one: a process that ends sooner has counted it.
 */
async function signalTwice(engine: EngineProcess): Promise<number | null> {
  const firstAtMs = performance.now();
  const ended = engine.kill('SIGTERM');
  while (!(await endsWithin(ended, 300))) {
    expect(performance.now() - firstAtMs).toBeLessThan(20_000);
    void engine.kill('SIGTERM');
  }
  expect(performance.now() - firstAtMs).toBeGreaterThan(1000);
  return ended;
}

/** Blocks every batch of the sale. @returns what releases them. */
async function lockStock(pool: Pool, saleId: number): Promise<() => Promise<void>> {
  const client = await pool.connect();
  let isHeld = true;
  const release = async () => {
    if (isHeld) await client.query('commit');
    if (isHeld) client.release();
    isHeld = false;
  };
  onTestFinished(release);
  await client.query('begin; set local idle_in_transaction_session_timeout = 0');
  await client.query('select from stock where sale_id = $1 for update', [saleId]);
  return release;
}

async function someoneWaits(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rowCount !== 0;
}

/** Whether a process other than the test itself has an active session. */
async function hasSessions(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from pg_stat_activity
     where datname = current_database() and application_name like 'doorbuster%' and pid <> pg_backend_pid()
       and state = 'active'`,
  );
  return rowCount !== 0;
}

/** The processes in which the API runs, if there are several; none otherwise. */
function pidsOf(engine: EngineProcess): number[] {
  const [, pids = ''] = /processes \(([\d, ]+)\)/.exec(engine.output()) ?? [];
  return pids === '' ? [] : pids.split(', ').map(Number);
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
