import { describe, expect, it, onTestFinished } from 'vitest';
import type { Pool } from '../src/platform/postgres.js';
import { startTestApi, type TestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';
import { startStoppablePostgres } from './support/stoppable-postgres.js';

describe('a process is not ready while its database accepts no commits', () => {
  it('because the synchronous standby is down; however many probes arrive, one session waits for it', async () => {
    const server = await startStoppablePostgres();
    const { pool } = server;
    const apis = [await startTestApi(server.url), await startTestApi(server.url)];
    for (const api of apis) await untilReady(api);

    await setStandby(pool, 'gone');
    for (const api of apis) await untilUnready(api, /accepts no commits: .*(longer than|timeout)/);
    await Promise.all(apis.flatMap(api => Array.from({ length: 20 }, () => readinessOf(api))));
    const { rows } = await pool.query<{ count: number }>(
      `select count(*) from pg_stat_activity where wait_event = 'SyncRep' and application_name = 'doorbuster'`,
    );
    expect(rows[0]?.count).toBe(1);

    await setStandby(pool, '');
    for (const api of apis) await untilReady(api);
    await Promise.all(apis.map(api => api.drain()));
    await server.remove();
  }, 120_000);

  it('because it is read-only', async () => {
    const { url, pool } = await createTestDatabase();
    const api = await startTestApi(url);
    await untilReady(api);
    // Only this session keeps its setting.
    const admin = await pool.connect();
    onTestFinished(() => admin.release());
    const setReadOnly = async (isOn: boolean) => {
      await admin.query(`do $$ begin execute format(
        'alter database %I set default_transaction_read_only = ${isOn}', current_database()); end $$`);
      await admin.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
    };

    await setReadOnly(true);
    await untilUnready(api, /accepts no commits: cannot execute UPDATE in a read-only transaction/);
    await setReadOnly(false);
    await untilReady(api);
  }, 120_000);

  it('because its disk is full, which decisions detect', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const api = await startTestApi(url, { DECISION_DEADLINE_MS: '300' });
    await untilReady(api);

    await pool.query(`
      create function refuse() returns trigger language plpgsql as
        $$ begin raise disk_full using message = 'could not extend file: No space left on device'; end $$;
      create trigger volume_is_full before insert on orders execute function refuse()`);
    expect((await api.purchase({ productId, userId: 'a' })).status).toBe(503);
    await untilUnready(api, /accepts no commits: could not extend file: No space left on device/);

    await pool.query('drop trigger volume_is_full on orders');
    await untilReady(api);
    expect((await api.purchase({ productId, userId: 'a' })).status).toBe(200);
  }, 120_000);
});

async function readinessOf(api: TestApi) {
  const { status, body } = await api.request('GET', '/api/ready');
  return { status, detail: String(body.detail ?? '') };
}

async function untilReady(api: TestApi): Promise<void> {
  await until('it is ready', async () => (await readinessOf(api)).status === 200);
}

async function untilUnready(api: TestApi, why: RegExp): Promise<void> {
  await until(`it is not ready: ${why}`, async () => {
    const { status, detail } = await readinessOf(api);
    return status === 503 && why.test(detail);
  });
}

async function setStandby(pool: Pool, name: string): Promise<void> {
  await pool.query(`alter system set synchronous_standby_names = '${name}'`);
  await pool.query('select pg_reload_conf()');
}
