import { expect, it } from 'vitest';
import { sleep } from '../src/platform/backoff.js';
import { median } from './support/median.js';
import { buy, expectBooksAgree, type PaidSale, startPaidSale, untilSettled } from './support/paid-orders.js';
import { createTestSale } from './support/sale.js';

const purchasesPerRound = 60;
const payersCount = 30;
// This includes the cost of the payments on the same two processors; a free purchase that waited for one would take
// 100 times as long.
const ratioMax = 10;

it.each([
  { provider: 'takes 500 ms', behaviour: { latencyMs: 500 }, rounds: 3 },
  // Only once: afterwards the breaker is open, and calls no longer wait for the provider.
  { provider: 'hangs', behaviour: { mode: 'hang' as const }, rounds: 1 },
])(
  'sales of a free product go on while payments for another wait for a provider that $provider',
  async ({ behaviour, rounds }) => {
    const shop = await startPaidSale({ allocation: 100_000 });
    const { productId: freeId } = await createTestSale(shop.pool, { allocation: 100_000 });
    await shop.behave(behaviour);
    await measure(shop, freeId, 'warm-up');

    const alone: number[] = [];
    const beside: number[] = [];
    const paying: number[] = [];
    for (let round = 0; round < rounds; round++) {
      alone.push(...(await measure(shop, freeId, `alone-${round}`)));
      const payers = startPayers(shop, round);
      beside.push(...(await measure(shop, freeId, `beside-${round}`)));
      paying.push(...(await payers.stop()));
    }

    expect(median(beside) / median(alone)).toBeLessThan(ratioMax);
    // Payers did have to wait, until the breaker opened, or nothing could have slowed down the others.
    expect(Math.max(...paying)).toBeGreaterThanOrEqual(500);
    await shop.behave({ mode: 'ok' });
    await untilSettled(shop.pool, 60_000);
    await expectBooksAgree(shop);
  },
  120_000,
);

/** Buys the free product, one purchase after the other. @returns what each took, in milliseconds. */
async function measure({ api }: PaidSale, productId: number, name: string): Promise<number[]> {
  const tookMs: number[] = [];
  for (let purchase = 0; purchase < purchasesPerRound; purchase++) {
    const sentAtMs = performance.now();
    expect((await buy(api, { productId, userId: `${name}-${purchase}` })).status).toBe(200);
    tookMs.push(performance.now() - sentAtMs);
  }
  return tookMs;
}

/** Shoppers who buy the paid product until they are stopped. */
function startPayers({ api, productId }: PaidSale, round: number): { stop(): Promise<number[]> } {
  const tookMs: number[] = [];
  let isOver = false;
  const payOn = async (_: unknown, payer: number) => {
    for (let purchase = 0; !isOver; purchase++) {
      const sentAtMs = performance.now();
      await buy(api, { productId, userId: `payer-${round}-${payer}-${purchase}` });
      tookMs.push(performance.now() - sentAtMs);
      await sleep(100);
    }
  };
  const done = Promise.all(Array.from({ length: payersCount }, payOn));
  return {
    async stop() {
      isOver = true;
      await done;
      return tookMs;
    },
  };
}
