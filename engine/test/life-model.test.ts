import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pool } from '../src/platform/postgres.js';
import { expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { createLife, stateOf } from './support/life.js';
import { createLifeEngine } from './support/life-engine.js';
import { anyStep } from './support/life-steps.js';

const terms = fc.record({
  allocations: fc.tuple(fc.integer({ min: 3, max: 10 }), fc.integer({ min: 3, max: 10 })),
  limit: fc.integer({ min: 2, max: 5 }),
});
const numRuns = 60;
const steps = fc.array(anyStep, { minLength: 10, maxLength: 60, size: 'max' });

describe('the life of orders, compared with a model', () => {
  // A failure prints its seed and the shortest path to it. A machine too slow for all runs fails as well.
  it('matches the documents through any sequence of events, and leaves clean books', async () => {
    const { pool } = await createTestDatabase();
    let runs = 0;
    const counted = propertyOf(pool).beforeEach(() => {
      runs += 1;
    });
    const bounds = { interruptAfterTimeLimit: 100_000, markInterruptAsFailure: true };
    await fc.assert(counted, { numRuns, ...bounds });
    expect(runs).toBe(numRuns);
    await expectCleanAudit(pool);
  }, 120_000);

  it.each([
    ['a code were good for a second key', `when v_order.status = 'CONFIRMED' then 'code-used'`],
    ['a cancel took what has been bought', `when 'CONFIRMED' then 'order-confirmed'`],
  ])(
    'would fail if %s: the negative control',
    async (_what, guard) => {
      const { pool } = await createTestDatabase();
      const sql = await readFile(new URL('../src/ledger/settle.sql', import.meta.url), 'utf8');
      expect(sql).toContain(guard);
      await pool.query(sql.replace(guard, guard.startsWith('when v_') ? 'when false then null' : ''));

      const { failed } = await fc.check(propertyOf(pool), { numRuns: 500, seed: 1, endOnFailure: true });

      expect(failed).toBe(true);
    },
    60_000,
  );
});

function propertyOf(pool: Pool) {
  return fc.asyncProperty(terms, steps, async ({ allocations, limit }, list) => {
    const sales = allocations.map((allocation, i) => ({ allocation, limit, isPaid: i === 1 }));
    const engine = await createLifeEngine(pool, sales);
    const world = { life: createLife(sales), engine, run: String(performance.now()) };
    for (const step of list) {
      await step.happen(world);
      expect(await engine.state()).toEqual(stateOf(world.life));
    }
  });
}
