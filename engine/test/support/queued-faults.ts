import { expect } from 'vitest';
import type { Pool } from '../../src/platform/postgres.js';
import type { TestApi } from './api.js';
import { until } from './condition.js';
import { startTestRoles, type TestRoles } from './roles.js';

export const faultsEnabled = { FAULTS_ENABLED: 'true' };

/**
 * A worker without its own API that has received the fault set at `api` before its first message arrives. Faults
 * are set for a minute; clear them.
 */
export async function startWorkerInTrouble(
  url: string,
  pool: Pool,
  api: TestApi,
  fault: { place: string; effect: string },
  env: Record<string, string> = {},
): Promise<TestRoles> {
  await pool.query(`update queue_messages set available_at = clock_timestamp() + interval '1 hour'`);
  const worker = await startTestRoles(url, ['worker'], { ...faultsEnabled, ...env });
  await until('it listens', async () => {
    const { rowCount } = await pool.query(
      `select from pg_stat_activity
       where datname = current_database() and application_name = 'doorbuster-faults' and query = 'select 1'`,
    );
    return rowCount === 1;
  });
  await setFault(api, fault);
  await pool.query('update queue_messages set available_at = clock_timestamp()');
  return worker;
}

export async function setFault(api: TestApi, fault: { place: string; effect: string }): Promise<void> {
  const body = { forMs: 60_000, ...fault };
  expect((await api.asOperator('POST', '/api/admin/faults', body)).status).toBe(201);
}

export async function clearFaults(api: TestApi): Promise<void> {
  expect((await api.asOperator('DELETE', '/api/admin/faults')).status).toBe(204);
}
