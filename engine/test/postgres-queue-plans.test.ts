import { describe, expect, it, onTestFinished } from 'vitest';
import type { Pool } from '../src/platform/postgres.js';
import { createTestDatabase } from './support/database.js';

describe('the plans of fetching and settling', () => {
  it('look up by index with 100,000 messages waiting, even if they were made while the table was empty', async () => {
    const { pool } = await createTestDatabase();
    const { plans, call } = await explainCalls(pool);

    await call();
    await fill(pool, 100_000);
    await call();

    expect(plans.join('\n')).toContain('queue_messages_by_availability');
    expect(plans.join('\n')).toContain('queue_messages_pkey');
    expect(plans.join('\n')).not.toContain('Seq Scan');
  });

  it('would scan the table without the settings of the functions', async () => {
    const { pool } = await createTestDatabase();
    await pool.query('alter function lease_messages reset all');
    await pool.query('alter function settle_messages reset all');
    await pool.query('vacuum queue_messages');
    const { plans, call } = await explainCalls(pool);

    await call();

    expect(plans.join('\n')).toContain('Seq Scan');
  });
});

async function fill(pool: Pool, count: number): Promise<void> {
  await pool.query(
    `insert into queue_messages (order_id, sale_id, shopper_id, quantity)
     select gen_random_uuid(), 1, 'shopper-' || i, 1 from generate_series(1, $1) i`,
    [count],
  );
}

/** Fetches and settles on one connection, which logs the plan of each statement inside the two functions. */
async function explainCalls(pool: Pool): Promise<{ plans: string[]; call: () => Promise<void> }> {
  const client = await pool.connect();
  onTestFinished(() => client.release(true));
  const plans: string[] = [];
  client.on('notice', ({ message }) => plans.push(message ?? ''));
  await client.query(`load 'auto_explain'; set auto_explain.log_min_duration = 0;
                      set auto_explain.log_nested_statements = on; set client_min_messages = log`);
  return {
    plans,
    async call() {
      await client.query(`select * from lease_messages(gen_random_uuid(), 1000, 500, '-infinity')`);
      await client.query(
        'select settle_messages(gen_random_uuid(), array[1, 2, 3], array[null, 5, null]::float8[], array[true, true, true])',
      );
    },
  };
}
