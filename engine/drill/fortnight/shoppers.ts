import { z } from 'zod';
import { until } from '../until.js';
import { type Actor, type Desk, isMorning, isoOf, minuteMs } from './desk.js';
import { firstStart, type Pattern, patterns } from './windows.js';

export type Repeating = { pattern: Pattern; productId: number; firstStartsAt: Date };

// One for the key, one for the queue, one for a late shopper. The next request is refused.
const unitsPerWindow = 3;

/** Creates the repeating sales; the shoppers buy in those that are open. */
export async function openRepeatingSales(desk: Desk): Promise<Repeating[]> {
  const { shop, expect } = desk;
  const made: Repeating[] = [];
  for (const pattern of patterns) {
    const productId = await desk.createProduct(pattern.name);
    const { cron, timeZone, minutes } = pattern;
    const firstStartsAt = firstStart(pattern, shop.clock.now());
    const startsAtMs = firstStartsAt.getTime();
    const body = {
      productId,
      allocation: unitsPerWindow,
      perUserLimit: 2,
      recurrence: { cron, timeZone },
      startsAt: isoOf(startsAtMs),
      endsAt: isoOf(startsAtMs + minutes * minuteMs),
    };
    expect(pattern.name, await shop.call('POST', '/api/admin/sales', { body }), 201);
    made.push({ pattern, productId, firstStartsAt });
  }
  return made;
}

type Kept = { userId: string; orderId: string; productId: number };

/** Buys in the repeating sales, and repeats yesterday's purchase with its key. */
export function createShoppers(desk: Desk, repeating: readonly Repeating[]): Actor {
  const { shop, expect, buy } = desk;
  const kept = new Map<number, Kept>();

  async function isOpen(productId: number): Promise<boolean> {
    const { rowCount } = await shop.pool.query(
      'select from sales where product_id = $1 and starts_at <= $2 and ends_at > $2',
      [productId, shop.clock.now()],
    );
    return rowCount === 1;
  }

  async function retryYesterdays(hour: number): Promise<void> {
    const order = kept.get(hour - 24);
    kept.delete(hour - 24);
    if (!order) return;
    const { userId, orderId, productId } = order;
    const again = await buy('/api/purchase', userId, { productId }, keyOf(hour - 24));
    if (!expect("a retry with yesterday's key", again, 200)) return;
    if (desk.orderOf(again).id !== orderId || again.headers['idempotency-replayed'] !== 'true')
      desk.complain("yesterday's key created another order");
  }

  async function buyOut(productId: number, name: string, hour: number): Promise<void> {
    const userId = `${name} ${hour}`;
    const bought = await buy('/api/purchase', userId, { productId }, keyOf(hour));
    if (!expect(`a purchase, ${name}`, bought, 200)) return;
    if (name === patterns[0]?.name) kept.set(hour, { userId, orderId: desk.orderOf(bought).id, productId });
    await queueOne(desk, `${userId} queued`, productId);
    expect(
      'a quantity above the limit',
      await buy('/api/purchase', `${userId} greedy`, { productId, quantity: 3 }),
      'limit-reached',
    );
    expect('the last unit', await buy('/api/purchase', `${userId} late`, { productId }), 200);
    expect('one unit too many', await buy('/api/purchase', `${userId} too late`, { productId }), 'sold-out');
  }

  return {
    async act(hour) {
      await retryYesterdays(hour);
      for (const { productId, pattern } of repeating) {
        if (await isOpen(productId)) await buyOut(productId, pattern.name, hour);
        else
          expect(
            `closed, ${pattern.name}`,
            await buy('/api/purchase', `early ${hour}`, { productId }),
            'sale-not-open',
          );
      }
    },
  };
}

const keyOf = (hour: number) => `hour-${hour}`;
const acceptedSchema = z.object({ order_id: z.string() });
const statusSchema = z.object({ status: z.string() });
const decidedWithinMs = 60_000;

async function queueOne({ shop, buy, expect }: Desk, userId: string, productId: number): Promise<void> {
  const accepted = await buy('/api/orders', userId, { productId });
  if (!expect('a queued order', accepted, 202)) return;
  const { order_id: orderId } = acceptedSchema.parse(accepted.body);
  const isDecided = async () => {
    const { rows } = await shop.pool.query('select status from orders where order_id = $1', [orderId]);
    return statusSchema.parse(rows[0]).status === 'CONFIRMED';
  };
  await until('the queued order is confirmed', isDecided, decidedWithinMs);
}

type Expected = { orderId: string; what: string; statuses: string[] };
type Held = { code: string; userId: string };
const heldSchema = z.object({ code: z.string() });

/** Holds units and pays in time, too late or never, or pays directly. Checks the orders an hour later. */
export async function createPayers(desk: Desk): Promise<Actor> {
  const { shop, expect, buy, orderOf } = desk;
  const productId = await desk.createProduct('To be paid');
  const expected: Expected[] = [];
  const lapsing: Held[] = [];

  async function checkOut(userId: string, what: string, status: string): Promise<Held | undefined> {
    const answer = await buy('/api/checkout', userId, { productId });
    if (!expect(`a checkout, ${what}`, answer, 201)) return undefined;
    expected.push({ orderId: orderOf(answer).id, what, statuses: [status] });
    return { code: heldSchema.parse(answer.body).code, userId };
  }

  async function lookBack(): Promise<void> {
    for (const { code, userId } of lapsing.splice(0)) {
      expect(
        'a lapsed code',
        await buy('/api/purchase', userId, { code, paymentMethod: 'card' }),
        'code-expired',
      );
    }
    for (const { orderId, what, statuses } of expected.splice(0)) {
      const { rows } = await shop.pool.query('select status from orders where order_id = $1', [orderId]);
      const { status } = statusSchema.parse(rows[0]);
      if (!statuses.includes(status)) desk.complain(`${what}: ${status}, expected ${statuses.join(' or ')}`);
    }
  }

  async function hold(hour: number): Promise<void> {
    const lapsed = await checkOut(`lapsing ${hour}`, 'an unpaid hold', 'EXPIRED');
    if (lapsed) lapsing.push(lapsed);
    const paid = await checkOut(`paying ${hour}`, 'a paid hold', 'CONFIRMED');
    if (paid) {
      const { code, userId } = paid;
      expect('paying a hold', await buy('/api/purchase', userId, { code, paymentMethod: 'card' }), 200);
    }
    const undecided = `undecided-${hour}`;
    const held = await buy('/api/checkout', undecided, { productId });
    if (!expect('a checkout that will be cancelled', held, 201)) return;
    const { id } = orderOf(held);
    expect('cancelling a hold', await shop.call('DELETE', `/api/orders/${id}`, { userId: undecided }), 200);
  }

  async function payDirectly(hour: number): Promise<void> {
    const body = { productId, paymentMethod: 'card' };
    expect('a payment', await buy('/api/purchase', `card ${hour}`, body), 200);
    if (hour % 3 !== 1) return;
    const declined = { productId, paymentMethod: 'declined' };
    expect('a declined payment', await buy('/api/purchase', `poor ${hour}`, declined), 'payment-declined');
    const slow = await buy('/api/purchase', `patient ${hour}`, { productId, paymentMethod: 'slow' });
    if (expect('a slow payment', slow, 200, 202))
      expected.push({ orderId: orderOf(slow).id, what: 'a slow payment', statuses: ['CONFIRMED'] });
  }

  return {
    async act(hour) {
      await lookBack();
      if (isMorning(hour)) await desk.openSale({ productId, payment: 'required' });
      await hold(hour);
      await payDirectly(hour);
    },
  };
}
