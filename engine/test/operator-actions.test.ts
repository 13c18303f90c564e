import { expect, it } from 'vitest';
import { addOperatorAction, pruneOperatorActions } from '../src/operators/actions.js';
import type { Pool } from '../src/platform/postgres.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { startTestRoles } from './support/roles.js';

it("the scheduler deletes the record of operators' actions after the configured number of days, in bounded batches", async () => {
  const { url, pool } = await createTestDatabase();
  await fillTrail(pool, 2500, '3 days');
  await fillTrail(pool, 5, '1 day');
  expect(await pruneOperatorActions(pool, 0)).toBe(0);
  expect(await pruneOperatorActions(pool, 2)).toBe(1000);
  expect(await countActions(pool)).toBe(1505);

  await startTestRoles(url, ['scheduler'], { OPERATOR_ACTIONS_RETENTION_DAYS: '2' });
  await until('the old ones are gone', async () => (await countActions(pool)) === 5, 20_000);
  expect(await pruneOperatorActions(pool, 2)).toBe(0);
});

async function countActions(pool: Pool): Promise<number | undefined> {
  const { rows } = await pool.query<{ count: number }>(`select count(*) as count from operator_actions`);
  return rows[0]?.count;
}

async function fillTrail(pool: Pool, count: number, age: string): Promise<void> {
  const action = { operator: 'ann', sessionId: null, action: 'GET /', target: '/', detail: null };
  const actionId = await addOperatorAction(pool, { ...action, ip: '::1', requestId: 'r' });
  await pool.query(
    `insert into operator_actions (at, operator, action, target, ip, request_id)
     select clock_timestamp() - $2::interval, operator, action, target, ip, request_id
     from operator_actions, generate_series(1, $1) where action_id = $3`,
    [count, age, actionId],
  );
  await pool.query('delete from operator_actions where action_id = $1', [actionId]);
}
