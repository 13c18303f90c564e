import { expect, it } from 'vitest';
import { z } from 'zod';
import { sleep } from '../src/platform/backoff.js';
import { until } from './support/condition.js';
import {
  buy,
  checkOut,
  expectBooksAgree,
  type PaidSale,
  startPaidSale,
  untilSettled,
} from './support/paid-orders.js';
import { createPrintedRandom } from './support/random.js';
import { createTestSale, stockOf } from './support/sale.js';

// Half of them in a sale without other buyers, half in one where other shoppers wait for each returned unit.
const ordersPerSale = 500;
const racers = { allocation: ordersPerSale, payment: 'required' } as const;
// 60 payments a second, presented up to this long before their deadlines: many are still in time on a busy machine.
const deadlinesWithinMs = 16_000;
const earliestMs = 1500;
// Well below the 2 s that a call to the provider may take: an answer that is late here is late for the hold, not
// for the caller.
const providerMaxMs = 1500;

const random = createPrintedRandom('races of payments and expiry');

type Hold = { code: string; userId: string; orderId: string; deadlineAtMs: number };
type Racer = { orderId: string; status: number };

it('1,000 payments race the expiry of their holds: each has one winner, and the provider keeps what was sold', async () => {
  const shop = await startPaidSale(racers);
  const { pool } = shop;
  const wanted = await createTestSale(pool, racers);
  const quiet = { productId: shop.productId, saleId: shop.saleId };

  const holds = await holdAll(shop, [quiet.productId, wanted.productId]);
  const spread = startSpread(shop);
  const races = holds.map(hold => race(shop, hold));
  const over = Promise.allSettled(races).then(spread.stop);
  const others = buyWhatComesBack(shop, wanted.productId, over);
  const answered = await Promise.all(races);
  await others;
  await untilAllEnded(shop);

  const outcomes = await tally(shop);
  const happened = JSON.stringify(Object.fromEntries(outcomes));
  // Both outcomes of a late payment occurred, or this has proved nothing about them.
  for (const step of [
    'CONFIRMED',
    'EXPIRED hold-lapsed',
    'CONFIRMED late-payment',
    'REFUNDED late-payment-sold-out',
  ])
    expect(outcomes.get(step) ?? 0, `${step} of ${happened}`).toBeGreaterThan(0);
  await expectOneWinnerEach(shop, answered);
  expect((await stockOf(pool, quiet.saleId)).reserved).toBe(0);
  expect((await stockOf(pool, wanted.saleId)).reserved).toBe(0);
  await expectBooksAgree(shop);
}, 120_000);

/** Holds whose deadlines are a few milliseconds apart, with their codes. */
async function holdAll({ api, pool }: PaidSale, productIds: readonly number[]): Promise<Hold[]> {
  const held = await Promise.all(
    productIds.flatMap(productId =>
      Array.from({ length: ordersPerSale }, async (_, shopper) => {
        const userId = `shopper-${shopper}`;
        const { code, order } = await checkOut(api, { productId, userId });
        return { code, userId, orderId: order.id };
      }),
    ),
  );
  const { rows } = await pool.query<{ orderId: string; leftMs: number }>(
    `update orders set expires_at = clock_timestamp() + (2000 + lot.ms) * interval '1 millisecond'
     from unnest($1::uuid[], $2::int[]) as lot (order_id, ms) where orders.order_id = lot.order_id
     returning orders.order_id as "orderId",
               extract(epoch from expires_at - clock_timestamp())::float8 * 1000 as "leftMs"`,
    [held.map(({ orderId }) => orderId), held.map(() => random.below(deadlinesWithinMs))],
  );
  const readAtMs = performance.now();
  const deadlines = new Map(rows.map(({ orderId, leftMs }) => [orderId, readAtMs + leftMs]));
  return held.map(hold => ({ ...hold, deadlineAtMs: deadlines.get(hold.orderId) ?? readAtMs }));
}

/** Presents the code around its deadline, mostly before. */
async function race({ api }: PaidSale, { code, userId, orderId, deadlineAtMs }: Hold): Promise<Racer> {
  const presentedAtMs = deadlineAtMs + 100 - random.below(earliestMs);
  await sleep(Math.max(0, presentedAtMs - performance.now()));
  const { status } = await buy(api, { userId, code });
  return { orderId, status };
}

/** Changes the provider's latency every few payments. */
function startSpread({ behave }: PaidSale): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const done = (async () => {
    while (!stopping.signal.aborted) {
      await behave({ latencyMs: random.below(providerMaxMs) });
      await sleep(50);
    }
    await behave({});
  })();
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}

/** Other shoppers take the returned units until all races are over, and then pay for them. */
async function buyWhatComesBack(shop: PaidSale, productId: number, over: Promise<unknown>): Promise<void> {
  let isOver = false;
  void over.then(() => {
    isOver = true;
  });
  const takeOn = async (_: unknown, taker: number) => {
    const codes: { userId: string; code: string }[] = [];
    while (!isOver) {
      const userId = `other-${taker}-${codes.length}`;
      const { body, status } = await shop.api.request('POST', '/api/checkout', {
        body: { productId, userId },
      });
      // A shopper who finds no unit returns a moment later, as people do.
      if (status === 201) codes.push({ userId, code: z.string().parse(body.code) });
      else await sleep(50);
    }
    for (const code of codes) expect([200, 202]).toContain((await buy(shop.api, code)).status);
  };
  await Promise.all(Array.from({ length: 8 }, takeOn));
}

async function untilAllEnded({ pool }: PaidSale): Promise<void> {
  await untilSettled(pool, 60_000);
  const isOver = async () =>
    (await pool.query(`select from orders where status in ('RESERVED', 'QUEUED') limit 1`)).rows.length === 0;
  await until('no hold is left', isOver, 20_000);
}

/** The number of orders with each final status. */
async function tally({ pool }: PaidSale): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ step: string; count: number }>(
    `select concat_ws(' ', status, reason) as step, count(*) as count from orders where shopper_id like 'shopper-%' group by 1`,
  );
  return new Map(rows.map(({ step, count }) => [step, count]));
}

const expired = 'RESERVED, EXPIRED hold-lapsed';
const refunded = 'REFUND_DUE late-payment-sold-out, REFUNDED late-payment-sold-out';

/** What may have happened behind each answer: the steps of the order, and those of its payment. */
const storiesOf: Record<number, readonly string[]> = {
  200: [
    'RESERVED, CONFIRMED; PENDING, CAPTURED',
    `${expired}, CONFIRMED late-payment; PENDING, CAPTURED late-payment`,
  ],
  409: [`${expired}, REFUNDED late-payment-sold-out; PENDING, ${refunded}`],
  410: [`${expired}; `],
};
// Their answers came too late, so they may have ended in any of the ways in which a payment ends.
const pendingStories = [
  ...(storiesOf[200] ?? []),
  ...(storiesOf[409] ?? []),
  `${expired}; PENDING, CANCELLED ended-at-the-provider`,
];

/** Each answer matches the order, and each order has the payment that belongs to its status. */
async function expectOneWinnerEach({ pool }: PaidSale, racers: readonly Racer[]): Promise<void> {
  const { rows } = await pool.query<{ orderId: string; story: string }>(
    `select order_id as "orderId",
            concat(string_agg(step, ', ' order by seq), '; ',
                   (select string_agg(concat_ws(' ', pj.status, pj.reason), ', ' order by pj.seq)
                    from payments p join payment_journal pj using (payment_id) where p.order_id = steps.order_id)) as story
     from (select order_id, seq, concat_ws(' ', to_status, reason) as step from journal) steps
     group by order_id`,
  );
  const stories = new Map(rows.map(({ orderId, story }) => [orderId, story]));
  for (const { orderId, status } of racers)
    expect(status === 202 ? pendingStories : storiesOf[status], `answered ${status}`).toContain(
      stories.get(orderId),
    );
}
