import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createOrderFollower } from '../src/orders/follow-orders.js';
import type { Pool } from '../src/platform/postgres.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';

const saleId = 7;

describe('following orders', () => {
  it('reads all orders of a sale, and all hints that arrive during a reading, in one query', async () => {
    const { pool } = await createTestDatabase();
    const follower = createOrderFollower({ db: pool, onError: () => {} });
    const orderIds = Array.from({ length: 100 }, () => randomUUID());
    const seen: string[] = [];
    const queries = countQueries(pool);

    const unfollow = orderIds.map(orderId =>
      follower.follow(orderId, saleId, 0, step => seen.push(step.orderId)),
    );
    await until('the first reading is in progress', () => queries() > 0);
    for (const orderId of orderIds) {
      await step(pool, orderId, 1);
      follower.changed(saleId);
    }
    await until('all is seen', () => seen.length === orderIds.length);
    const writes = orderIds.length;
    for (const stop of unfollow) stop();

    // A query for each order and hint would be 10,000.
    expect(queries() - writes).toBeLessThan(writes / 2);
    expect(new Set(seen).size).toBe(orderIds.length);
  });

  it('reads orders in several queries if they do not fit into one', async () => {
    const { pool } = await createTestDatabase();
    const follower = createOrderFollower({ db: pool, onError: () => {} });
    await pool.query(
      `insert into journal (sale_id, order_id, seq, from_status, to_status, quantity, at)
       select $1, gen_random_uuid(), 1, 'NEW', 'QUEUED', 1, clock_timestamp() from generate_series(1, 1201)`,
      [saleId],
    );
    const { rows } = await pool.query<{ id: string }>('select order_id as id from journal');
    const seen = new Set<string>();

    const unfollow = rows.map(({ id }) => follower.follow(id, saleId, 0, ({ orderId }) => seen.add(orderId)));

    await until('all is seen', () => seen.size === 1201);
    for (const stop of unfollow) stop();
  });

  it('gives each reader of an order what that reader has not seen', async () => {
    const { pool } = await createTestDatabase();
    const follower = createOrderFollower({ db: pool, onError: () => {} });
    const orderId = randomUUID();
    for (const seq of [1, 2, 3]) await step(pool, orderId, seq);
    const [early, late]: [number[], number[]] = [[], []];

    const stopEarly = follower.follow(orderId, saleId, 2, ({ seq }) => early.push(seq));
    await new Promise(resolve => setImmediate(resolve));
    // The reading in progress begins behind the second step.
    const stopLate = follower.follow(orderId, saleId, 0, ({ seq }) => late.push(seq));

    await until('both have it', () => early.length === 1 && late.length === 3);
    stopEarly();
    await step(pool, orderId, 4);
    follower.changed(saleId);
    await until('the one that stayed has it', () => late.length === 4);
    stopLate();
    expect({ early, late }).toEqual({ early: [3], late: [1, 2, 3, 4] });
  });

  it('reports when it cannot read, and catches up without help', async () => {
    const { pool } = await createTestDatabase();
    const errors: unknown[] = [];
    const follower = createOrderFollower({ db: pool, onError: error => errors.push(error) });
    const orderId = randomUUID();
    await step(pool, orderId, 1);
    await pool.query('alter table journal rename to journal_is_gone');
    const seen: number[] = [];

    const unfollow = follower.follow(orderId, saleId, 0, ({ seq }) => seen.push(seq));
    await until('the failure is reported', () => errors.length > 0);
    await pool.query('alter table journal_is_gone rename to journal');

    await until('the step is seen', () => seen.length === 1);
    unfollow();
  });
});

function countQueries(pool: Pool): () => number {
  let count = 0;
  pool.on('acquire', () => {
    count += 1;
  });
  return () => count;
}

async function step(pool: Pool, orderId: string, seq: number): Promise<void> {
  await pool.query(
    `insert into journal (sale_id, order_id, seq, from_status, to_status, quantity, at)
     values ($1, $2, $3::int, case when $3::int = 1 then 'NEW' else 'QUEUED' end, 'QUEUED', 1, clock_timestamp())`,
    [saleId, orderId, seq],
  );
}
