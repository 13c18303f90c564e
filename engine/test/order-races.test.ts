import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Pool } from '../src/platform/postgres.js';
import { expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import {
  type Act,
  acts,
  addDeadLetters,
  createOrders,
  finishRounds,
  type OrderKind,
  orderKinds,
  type TouchedOrder,
} from './support/order-acts.js';
import { createPrintedRandom } from './support/random.js';
import { stockOf } from './support/sale.js';

type ActName = keyof typeof acts;
/** Two acts that race, and each way the race may end: what each caller was told, and the order's final status. */
type Race = [one: ActName, other: ActName, ...ends: string[]];

const races: Record<OrderKind, Race[]> = {
  held: [
    ['redeem', 'redeemAgain', 'confirmed replayed CONFIRMED', 'replayed confirmed CONFIRMED'],
    ['redeem', 'redeemOtherKey', 'confirmed code-used CONFIRMED', 'code-used confirmed CONFIRMED'],
    ['redeem', 'cancel', 'confirmed order-confirmed CONFIRMED', 'order-ended cancelled CANCELLED'],
    ['redeem', 'expire', 'confirmed - CONFIRMED', 'code-expired - EXPIRED'],
    ['redeem', 'fail', 'confirmed - CONFIRMED', 'order-ended - FAILED'],
    ['cancel', 'cancel', 'cancelled replayed CANCELLED', 'replayed cancelled CANCELLED'],
    ['cancel', 'expire', 'cancelled - CANCELLED', 'order-ended - EXPIRED'],
    ['cancel', 'fail', 'cancelled - CANCELLED', 'order-ended - FAILED'],
    ['expire', 'expire', '- - EXPIRED'],
    ['expire', 'fail', '- - EXPIRED', '- - FAILED'],
    ['fail', 'fail', '- - FAILED'],
  ],
  heldAndPaying: [
    ['captured', 'capturedAgain', 'confirmed replayed CONFIRMED', 'replayed confirmed CONFIRMED'],
    // The money has arrived, whatever the caller was told before.
    ['captured', 'declined', 'confirmed replayed CONFIRMED', 'confirmed declined CONFIRMED'],
    ['captured', 'paymentCanceled', 'confirmed replayed CONFIRMED', 'confirmed cancelled CONFIRMED'],
    ['captured', 'redeemAgain', 'confirmed replayed CONFIRMED', 'confirmed pay CONFIRMED'],
    ['captured', 'redeemOtherKey', 'confirmed code-used CONFIRMED', 'confirmed pay CONFIRMED'],
    ['captured', 'cancel', 'confirmed order-confirmed CONFIRMED', 'refund-due cancelled CANCELLED'],
    // Units are left, so that a payment that arrives after the hold still buys.
    ['captured', 'expire', 'confirmed - CONFIRMED'],
    ['captured', 'fail', 'confirmed - CONFIRMED', 'refund-due - FAILED'],
    ['declined', 'redeemOtherKey', 'declined pay RESERVED'],
    ['declined', 'cancel', 'declined cancelled CANCELLED'],
    ['declined', 'expire', 'declined - EXPIRED'],
    ['declined', 'fail', 'declined - FAILED'],
    ['declined', 'paymentCanceled', 'declined replayed RESERVED', 'replayed cancelled RESERVED'],
    ['cancel', 'expire', 'cancelled - CANCELLED', 'order-ended - EXPIRED'],
    ['redeemOtherKey', 'expire', 'pay - EXPIRED', 'code-expired - EXPIRED'],
  ],
  directAndPaying: [
    ['captured', 'capturedAgain', 'confirmed replayed CONFIRMED', 'replayed confirmed CONFIRMED'],
    ['captured', 'declined', 'confirmed replayed CONFIRMED', 'refund-due declined CANCELLED'],
    ['captured', 'cancel', 'confirmed order-confirmed CONFIRMED', 'refund-due cancelled CANCELLED'],
    ['captured', 'expire', 'confirmed - CONFIRMED'],
    ['captured', 'fail', 'confirmed - CONFIRMED', 'refund-due - FAILED'],
    ['declined', 'cancel', 'declined replayed CANCELLED', 'declined cancelled CANCELLED'],
    ['declined', 'expire', 'declined - CANCELLED', 'declined - EXPIRED'],
    ['declined', 'fail', 'declined - CANCELLED', 'declined - FAILED'],
  ],
  queued: [
    ['decideQueued', 'decideQueuedAgain', 'confirmed replayed CONFIRMED', 'replayed confirmed CONFIRMED'],
    ['decideQueued', 'cancel', 'confirmed order-confirmed CONFIRMED', 'replayed cancelled CANCELLED'],
    ['decideQueued', 'fail', 'confirmed - CONFIRMED', 'replayed - FAILED'],
    ['cancel', 'fail', 'cancelled - CANCELLED', 'order-ended - FAILED'],
    ['cancel', 'cancel', 'cancelled replayed CANCELLED', 'replayed cancelled CANCELLED'],
  ],
  queuedToBePaid: [
    ['decideQueued', 'decideQueuedAgain', 'reserved replayed RESERVED', 'replayed reserved RESERVED'],
    ['decideQueued', 'cancel', 'reserved cancelled CANCELLED', 'replayed cancelled CANCELLED'],
    ['decideQueued', 'fail', 'reserved - FAILED', 'replayed - FAILED'],
  ],
};

const ordersPerRace = 60;

describe('two acts on one order at the same moment', () => {
  it.each(orderKinds)(
    'end as if one had come after the other, each with a documented outcome: %s',
    async kind => {
      const { pool } = await createTestDatabase();
      for (const [one, other, ...ends] of races[kind]) {
        const orders = await createOrders(pool, kind, ordersPerRace);
        if (one === 'fail' || other === 'fail') await addDeadLetters(pool, orders);
        const told = await raceAll(pool, orders, acts[one], acts[other]);

        const saleId = orders[0]?.saleId ?? 0;
        await finishRounds(pool, saleId);
        const statuses = await statusesOf(pool, saleId);
        const seen = orders.map(({ orderId }, i) => `${told[i]} ${statuses.get(orderId)}`);
        const unexpected = seen.filter(end => !ends.includes(end));
        expect({ one, other, unexpected }).toEqual({ one, other, unexpected: [] });
        expect(await stockOf(pool, saleId)).toEqual(stockAfter([...statuses.values()]));
      }
      await expectCleanAudit(pool);
    },
    120_000,
  );

  it('would break an order or fail at its last guard without the lock: the negative control', async () => {
    const { pool } = await createTestDatabase();
    await installSettleWithoutLock(pool);
    const orders = await createOrders(pool, 'held', 10);

    await expect(raceAll(pool, orders, acts.redeem, acts.cancel)).rejects.toThrow(
      /cannot move from|stock_is_conserved/,
    );
  });
});

const random = createPrintedRandom('order races');

/** Starts both acts of every order at once, in random order. @returns the outcomes of each pair. */
function raceAll(pool: Pool, orders: readonly TouchedOrder[], one: Act, other: Act): Promise<string[]> {
  return Promise.all(
    orders.map(async order => {
      if (random.chance(0.5)) return (await Promise.all([one(pool, order), other(pool, order)])).join(' ');
      return (await Promise.all([other(pool, order), one(pool, order)])).reverse().join(' ');
    }),
  );
}

function stockAfter(statuses: readonly string[]) {
  const sold = statuses.filter(status => status === 'CONFIRMED').length;
  const reserved = statuses.filter(status => status === 'RESERVED').length;
  return { allocation: ordersPerRace, available: ordersPerRace - sold - reserved, reserved, sold };
}

async function statusesOf(pool: Pool, saleId: number): Promise<Map<string, string>> {
  const { rows } = await pool.query<{ id: string; status: string }>(
    'select order_id as id, status from orders where sale_id = $1',
    [saleId],
  );
  return new Map(rows.map(({ id, status }) => [id, status]));
}

async function installSettleWithoutLock(pool: Pool): Promise<void> {
  const sql = await readFile(new URL('../src/ledger/settle.sql', import.meta.url), 'utf8');
  const lock = 'select * into strict v_stock from stock where sale_id = p_sale_id for update;';
  expect(sql).toContain(lock);
  // Makes both read the order before either writes it.
  const withoutLock = lock.replace(' for update', '');
  const move = '    if v_to is not null then\n';
  expect(sql).toContain(move);
  await pool.query(sql.replace(lock, withoutLock).replace(move, `    perform pg_sleep(0.05);\n${move}`));
}
