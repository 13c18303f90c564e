import { expect, it } from 'vitest';
import { z } from 'zod';
import type { TestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import {
  buy,
  expectBooksAgree,
  orderIdIn,
  paymentStepsOf,
  startProxiedSale,
  untilOrderIs,
} from './support/paid-orders.js';

const isRefund = ({ path }: { path: string }) => path.endsWith('/refund');

it('a refund that fails for a while is retried, later each time, until it is done, once', async () => {
  const shop = await startProxiedSale();
  const { api, pool, productId, proxy } = shop;
  takeTooLittle(proxy);
  proxy.answerWith(call => (isRefund(call) ? { status: 503, body: { message: 'not now' } } : undefined));
  const orderId = orderIdIn(await buy(api, { productId, userId: 'a' }));
  await until('two tries have failed', async () => (await refundOf(pool, orderId)).tries >= 2, 15_000);
  expect(await refundOf(pool, orderId)).toMatchObject({ status: 'REFUND_DUE' });
  await expectCleanAudit(pool);

  proxy.answerWith(() => undefined);
  await untilOrderIs(pool, orderId, 'REFUNDED', 20_000);
  expect(await paymentStepsOf(pool, orderId)).toEqual([
    'PENDING',
    'REFUND_DUE wrong-amount',
    'REFUNDED wrong-amount',
  ]);
  expect(await shop.totals()).toMatchObject({ captured: 1, refunded: 1, refundedMinor: 1998 });
  await expectBooksAgree(shop);
});

it('a refund whose answer is lost is made once', async () => {
  const shop = await startProxiedSale();
  const { api, pool, productId, proxy } = shop;
  takeTooLittle(proxy);
  proxy.loseAnswers(call => isRefund(call) && proxy.calls.filter(isRefund).length <= 2);
  const orderId = orderIdIn(await buy(api, { productId, userId: 'a' }));
  await untilOrderIs(pool, orderId, 'REFUNDED', 20_000);
  expect(proxy.calls.filter(isRefund).length).toBeGreaterThan(2);
  expect(await shop.totals()).toMatchObject({ refunded: 1, refundedMinor: 1998 });
  await expectBooksAgree(shop);
});

it('a refund that is refused permanently is a dead letter, stays due, and is done when an operator replays it', async () => {
  const shop = await startProxiedSale();
  const { api, pool, productId, proxy } = shop;
  takeTooLittle(proxy);
  proxy.answerWith(call => (isRefund(call) ? { status: 403, body: { message: 'never' } } : undefined));
  const orderId = orderIdIn(await buy(api, { productId, userId: 'a' }));
  const letter = await until('operators can see it', () => openLetter(api));
  expect(letter).toMatchObject({ source: 'refund', reason: 'refund-refused-by-provider', orderId });
  expect(await refundOf(pool, orderId)).toMatchObject({ status: 'REFUND_DUE', isDueAgain: false });
  expect(proxy.calls.filter(isRefund)).toHaveLength(1);
  await expectCleanAudit(pool);

  // Replayed while the provider still refuses, it appears again as a separate letter.
  expect((await replay(api, letter.id)).body).toMatchObject({ outcome: 'replayed' });
  const second = await until('it appears again', () => openLetter(api));
  expect(second.id).toBeGreaterThan(letter.id);

  proxy.answerWith(() => undefined);
  expect((await replay(api, second.id)).body).toMatchObject({ outcome: 'replayed' });
  await untilOrderIs(pool, orderId, 'REFUNDED');
  expect((await replay(api, second.id)).body).toMatchObject({ outcome: 'already-resolved' });
  expect(await shop.totals()).toMatchObject({ refunded: 1, refundedMinor: 1998 });
  expect(await openLetter(api)).toBeUndefined();
  await expectBooksAgree(shop);
});

// One cent less than requested: the order cannot keep the money, which has to be refunded.
function takeTooLittle(proxy: Awaited<ReturnType<typeof startProxiedSale>>['proxy']): void {
  proxy.rewrite(call =>
    isRefund(call) ? call.body : JSON.stringify({ ...JSON.parse(call.body), amountMinor: 1998 }),
  );
}

async function refundOf(pool: Awaited<ReturnType<typeof startProxiedSale>>['pool'], orderId: string) {
  const { rows } = await pool.query<{ status: string; tries: number; isDueAgain: boolean }>(
    `select status, tries, due_at < 'infinity' as "isDueAgain" from payments where order_id = $1`,
    [orderId],
  );
  const [row] = rows;
  if (!row) throw new Error(`order ${orderId} has no payment`);
  return row;
}

const lettersSchema = z.object({
  deadLetters: z.array(z.looseObject({ id: z.number() })),
});

async function openLetter(api: TestApi) {
  const { body } = await api.asOperator('GET', '/api/admin/dead-letters?status=COMPENSATED');
  return lettersSchema.parse(body).deadLetters[0];
}

function replay(api: TestApi, letterId: number) {
  return api.asOperator('POST', `/api/admin/dead-letters/${letterId}/replay`, {});
}
