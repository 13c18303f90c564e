import { expect, it } from 'vitest';
import type { Pool } from '../src/platform/postgres.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { startTestRoles } from './support/roles.js';

it('the scheduler deletes sign-ins and challenges on time, even if none are added', async () => {
  const { pool, url } = await createTestDatabase();
  await pool.query(`
    with aged (name, age) as (values ('old', interval '31 days'), ('young', interval '10 seconds')), session as (
      insert into operator_sessions (session_id, operator, ip, user_agent, created_at, ends_at)
      select gen_random_uuid(), name, '203.0.113.1', '', now() - age - interval '1 hour', now() - age from aged
    ) insert into spent_challenges (sale_id, challenge, order_id, expires_at)
      select 1, name, gen_random_uuid(), now() - age from aged`);

  await startTestRoles(url, ['scheduler']);

  await until('the old rows are gone', async () => !(await namesKept(pool)).includes('old'));
  expect(await namesKept(pool)).toEqual(['young', 'young']);
});

async function namesKept(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select operator as name from operator_sessions
     union all select challenge from spent_challenges`,
  );
  return rows.map(({ name }) => name);
}
