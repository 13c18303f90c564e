import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { operatorHeaders, startTestApi, type TestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { createLimitedRole } from './support/limited-role.js';
import { scrape, seriesValue } from './support/metrics.js';
import { createTestSale } from './support/sale.js';

// Four for decisions and one that follows the ledger leave three of the role's connections to the rest, which may
// use up to sixteen.
const roleMax = 8;
const settings = { DB_POOL_MAX: '20', DB_TIMEOUT: '3000', ENABLE_METRICS: 'true', METRICS_PORT: '0' };
const missing = 'doorbuster_decision_connections_missing';

describe('an engine whose role may open fewer connections than its pools', () => {
  it('sells while readers hold every connection they can get, and after all connections were cut at once', async () => {
    const database = await createTestDatabase();
    const { productId } = await createTestSale(database.pool);
    const api = await startTestApi(await createLimitedRole(database, roleMax), settings);
    // The sale is in memory, as it is in a running shop.
    await until('it sells', async () => (await api.purchase({ productId, userId: 'first' })).status === 200);
    await keepReadersWaiting(database, api);
    await until('readers have taken the rest', async () => (await countSessions(database)) === roleMax);

    for (const userId of ['a', 'b', 'c']) {
      expect((await api.purchase({ productId, userId })).status).toBe(200);
    }
    expect((await api.request('GET', '/api/ready')).status).toBe(200);

    await cutSessions(database);
    await until('decisions have their connections again', async () => (await missingAt(api)) === 0);
    await until('readers have taken the rest', async () => (await countSessions(database)) === roleMax);
    expect(await missingAt(api)).toBe(0);
  }, 120_000);

  it('is not ready while decisions have no connection, reports it, and becomes ready once they have one', async () => {
    const database = await createTestDatabase();
    const { productId } = await createTestSale(database.pool);
    const url = await createLimitedRole(database, roleMax);
    const others = await Promise.all(Array.from({ length: roleMax }, () => connect(url)));
    const api = await startTestApi(url, settings);

    const refused = await api.request('GET', '/api/ready');
    expect([refused.status, refused.slug]).toEqual([503, 'unavailable']);
    expect(refused.body.detail).toMatch(
      /there is no connection to PostgreSQL for decisions: too many connections/,
    );
    expect(await missingAt(api)).toBe(4);

    await Promise.all(others.map(other => other.end()));
    await until('it is ready', async () => (await api.request('GET', '/api/ready')).status === 200);
    await until('nothing is missing', async () => (await missingAt(api)) === 0);
    expect((await api.purchase({ productId, userId: 'a' })).status).toBe(200);
  }, 120_000);

  it('gives decisions each connection that becomes free, however many readers are waiting', async () => {
    const database = await createTestDatabase();
    const url = await createLimitedRole(database, roleMax);
    const others = await Promise.all(Array.from({ length: roleMax }, () => connect(url)));
    const api = await startTestApi(url, settings);
    await keepReadersWaiting(database, api);

    // One is for the connection that follows the ledger.
    for (const other of others.slice(0, 5)) await other.end();
    await until('decisions have their connections', async () => (await missingAt(api)) === 0, 20_000);
  }, 120_000);

  it('keeps the connection after PostgreSQL rejects a statement', async () => {
    const database = await createTestDatabase();
    const { productId } = await createTestSale(database.pool);
    const api = await startTestApi(await createLimitedRole(database, roleMax), settings);
    await until('it sells', async () => (await api.purchase({ productId, userId: 'first' })).status === 200);
    const before = await sessionIds(database);
    await database.pool.query('revoke execute on routine decide from public');
    expect((await api.purchase({ productId, userId: 'a' })).status).toBe(503);
    await database.pool.query('grant execute on routine decide to public');
    await until('it sells', async () => (await api.purchase({ productId, userId: 'b' })).status === 200);
    expect(await sessionIds(database)).toEqual(expect.arrayContaining(before));
  }, 120_000);
});

/** Starts calls that wait for a locked table, one after the other, more than the process may have connections. */
async function keepReadersWaiting({ pool }: TestDatabase, api: TestApi): Promise<void> {
  const holder = await pool.connect();
  await holder.query(
    'begin; set local idle_in_transaction_session_timeout = 0; lock table dead_letters in access exclusive mode',
  );
  let isOver = false;
  const readers = Array.from({ length: 30 }, async () => {
    while (!isOver) await api.request('GET', '/api/admin/dead-letters', { headers: operatorHeaders });
  });
  onTestFinished(async () => {
    isOver = true;
    await holder.query('rollback');
    holder.release();
    await Promise.all(readers);
  });
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => {});
  await client.connect();
  return client;
}

const ofEngine = `from pg_stat_activity where datname = current_database() and usename <> current_user`;

async function sessionIds({ pool }: TestDatabase): Promise<number[]> {
  const { rows } = await pool.query<{ pid: number }>(`select pid ${ofEngine} order by pid`);
  return rows.map(({ pid }) => pid);
}

async function countSessions(database: TestDatabase): Promise<number> {
  return (await sessionIds(database)).length;
}

async function cutSessions({ pool }: TestDatabase): Promise<void> {
  await pool.query(`select pg_terminate_backend(pid) ${ofEngine}`);
}

async function missingAt(api: TestApi): Promise<number | undefined> {
  return seriesValue(await scrape(api.metricsUrl), missing);
}
