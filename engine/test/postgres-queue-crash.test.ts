import { randomInt } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Pool } from '../src/platform/postgres.js';
import type { OrderQueue } from '../src/queue/order-queue.js';
import { createPostgresQueue } from '../src/queue/postgres-queue.js';
import { runChild } from './children/run-child.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { createGate, idsOf, isEmpty, orders, take } from './support/queue-taker.js';

describe('a worker killed with SIGKILL in the middle', () => {
  it('loses none of 20,000 messages in five kills', async () => {
    const { url, pool } = await createTestDatabase();
    const queue = openQueue(pool);
    await createEffects(pool);
    await queue.publish(orders(10_000));
    await queue.publish(orders(10_000));

    for (let round = 0; round < 5; round++) {
      const child = runChild('consume-queue.ts', url, '1000', '100', '30');
      const batches = randomInt(1, 30);
      for (let i = 0; i < batches; i++) expect(await child.nextLine(), `of ${batches} lines`).toBe('batch');
      await child.kill();
    }
    const heir = take(queue, {
      batchMax: 500,
      before: () => recordEffects(pool, idsOf(heir.batches.at(-1) ?? [])),
    });

    await until('the queue is empty', async () => isEmpty(await queue.depth()), 20_000);
    expect(await countEffects(pool)).toBe(20_000);
    // They died with messages in hand, which were redelivered.
    expect(heir.deliveries.some(({ deliveries }) => deliveries > 1)).toBe(true);
  }, 120_000);
});

describe('a worker suspended with SIGSTOP past its lease', () => {
  it('settles nothing that another has taken since', async () => {
    const { url, pool } = await createTestDatabase();
    const queue = openQueue(pool);
    await createEffects(pool);
    await queue.publish(orders(10));
    const child = runChild('consume-queue.ts', url, '1000', '10', '1');
    onTestFinished(child.kill);
    expect(await child.nextLine()).toBe('batch');
    process.kill(child.pid, 'SIGSTOP');
    const gate = createGate();
    const seen = new Set<string>();
    const heir = take(queue, {
      before: gate.pass,
      settle({ message }) {
        const isFirst = !seen.has(message.orderId);
        seen.add(message.orderId);
        return isFirst ? { retryInMs: 0 } : 'done';
      },
    });
    await until('the other has some in hand', () => heir.deliveries.length > 0, 20_000);

    process.kill(child.pid, 'SIGCONT');
    child.writeLine('go on');
    expect(await child.nextLine()).toBe('LEASE_LOST');
    // If it were running, it would take its share of the redelivered messages.
    await child.kill();
    gate.open();

    await until('all are redelivered', () => heir.deliveries.length === 20, 20_000);
    // A child starved of processor time before it was suspended has taken its own messages a second time.
    const first = heir.deliveries[0]?.deliveries ?? 0;
    expect(first).toBeGreaterThanOrEqual(2);
    const counts = heir.deliveries.map(({ deliveries }) => deliveries).sort();
    expect(counts).toEqual([...Array(10).fill(first), ...Array(10).fill(first + 1)]);
  });
});

function openQueue(pool: Pool): OrderQueue {
  const queue = createPostgresQueue({ pool });
  onTestFinished(() => queue.close());
  return queue;
}

async function createEffects(pool: Pool): Promise<void> {
  await pool.query('create table effects (order_id uuid primary key)');
}

async function recordEffects(pool: Pool, orderIds: readonly string[]): Promise<void> {
  await pool.query('insert into effects select unnest($1::uuid[]) on conflict do nothing', [orderIds]);
}

async function countEffects(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>('select count(*) as count from effects');
  return rows[0]?.count ?? 0;
}
