import { Writable } from 'node:stream';
import pino from 'pino';
import { expect, it } from 'vitest';
import { sleep } from '../src/platform/backoff.js';
import { until } from './support/condition.js';
import {
  buy,
  checkOut,
  expectBooksAgree,
  orderIdIn,
  type PaidSale,
  startPaidSale,
  untilSettled,
} from './support/paid-orders.js';

// 2.5 s is the budget of a payment; the rest is for the ledger, before and after it.
const answerMaxMs = 3000;
const shoppersCount = 8;
// By then each shopper has met the fault more than once.
const answersMin = 3 * shoppersCount;

type Answered = { orderId: string; status: number; tookMs: number; provider: Provider };
type Provider = 'ok' | 'hang' | 'error' | 'changing' | 'recovered';

it('while a provider hangs, then fails, then recovers, purchases are answered within 3 s and charged once each', async () => {
  const log = createLog();
  const shop = await startPaidSale({ allocation: 100_000 }, { logger: log.logger });
  const load = startLoad(shop);

  await load.untilAnswered('ok');
  await load.change('hang', () => shop.behave({ mode: 'hang' }));
  await load.untilAnswered('hang');
  await until('the breaker opens', () => log.breaker().includes('open'), 20_000);
  await load.change('error', () => shop.behave({ mode: 'error' }));
  await load.untilAnswered('error');
  const recovery = async () => {
    await shop.behave({ mode: 'ok' });
    await until('the breaker is closed', () => log.breaker().at(-1) === 'closed', 20_000);
  };
  await load.change('recovered', recovery);
  await load.untilAnswered('recovered');
  const answered = await load.stop();
  await untilSettled(shop.pool, 60_000);

  const statusesWhile = (provider: Provider) => [
    ...new Set(answered.filter(answer => answer.provider === provider).map(({ status }) => status)),
  ];
  expect(statusesWhile('ok')).toEqual([200]);
  expect(statusesWhile('recovered')).toEqual([200]);
  expect(statusesWhile('hang')).toEqual([202]);
  expect(statusesWhile('error')).toEqual([202]);
  expect(Math.max(...answered.map(({ tookMs }) => tookMs))).toBeLessThan(answerMaxMs);
  expect(answered.filter(({ status }) => status === 202).length).toBeGreaterThan(shoppersCount);
  await expectAllConfirmed(shop, answered);
  expect(await shop.totals()).toMatchObject({ captured: answered.length, refunded: 0 });
  await expectBooksAgree(shop);
}, 120_000);

/** Shoppers who buy one purchase after the other, half directly and half with a code, and record the answers. */
function startLoad({ api, productId }: PaidSale) {
  const answered: Answered[] = [];
  let provider: Provider = 'ok';
  let isOver = false;

  async function buyOn(_: unknown, shopper: number): Promise<void> {
    for (let purchase = 0; !isOver; purchase++) {
      const userId = `shopper-${shopper}-${purchase}`;
      const held = shopper % 2 === 0 ? await checkOut(api, { productId, userId }) : undefined;
      const before = provider;
      const sentAtMs = performance.now();
      const answer = await buy(api, { userId, ...(held ? { code: held.code } : { productId }) });
      const tookMs = performance.now() - sentAtMs;
      // An answer during a change of the provider says nothing about either state.
      const during = before === provider ? before : 'changing';
      answered.push({ orderId: orderIdIn(answer), status: answer.status, tookMs, provider: during });
      // They pause before they buy again, or refusals would be most of what is measured.
      await sleep(20);
    }
  }
  const done = Promise.all(Array.from({ length: shoppersCount }, buyOn));

  return {
    untilAnswered: (wanted: Provider) =>
      until(
        `${answersMin} are answered while the provider is in the expected state: ${wanted}`,
        () => answered.filter(a => a.provider === wanted).length >= answersMin,
        30_000,
      ),
    async change(next: Provider, change: () => Promise<void>): Promise<void> {
      provider = 'changing';
      await change();
      provider = next;
    },
    async stop(): Promise<readonly Answered[]> {
      isOver = true;
      await done;
      return answered;
    },
  };
}

async function expectAllConfirmed({ pool }: PaidSale, answered: readonly Answered[]): Promise<void> {
  const { rows } = await pool.query<{ status: string; count: number }>(
    'select status, count(*) as count from orders where order_id = any ($1) group by status',
    [answered.map(({ orderId }) => orderId)],
  );
  expect(rows).toEqual([{ status: 'CONFIRMED', count: answered.length }]);
}

/** A logger that records what the breaker does. */
function createLog() {
  const states: string[] = [];
  const stream = new Writable({
    write(line: Buffer, _encoding, done) {
      const { state } = JSON.parse(line.toString());
      if (typeof state === 'string') states.push(state);
      done();
    },
  });
  return { logger: pino({ level: 'warn' }, stream), breaker: (): readonly string[] => states };
}
