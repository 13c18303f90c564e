import { expect, it } from 'vitest';
import { createApi, createBuyer, isFinal } from '../src/index.js';
import { purchaseEveryMs, purchasesMax } from './support/shop.js';
import { createGuest, createShopper, type Spoilt, startCuttingProxy } from './support/shopper.js';

const free = 1;
const queueable = 4;

it('a purchase whose connection is cut repeatedly is one order, and the key finds it', async () => {
  const proxy = await startCuttingProxy(2);
  const { buyer, userId, orders } = createShopper(proxy.url);
  const progress: string[] = [];
  const outcome = await buyer.purchase(
    { productId: free, userId },
    { key: 'cut', onProgress: step => progress.push(step) },
  );

  expect(proxy.cutSoFar()).toBe(2);
  expect(outcome).toMatchObject({
    kind: 'granted',
    isReplay: true,
    value: { order: { status: 'CONFIRMED' } },
  });
  expect(progress).toContain('reconnecting');
  expect(await orders()).toHaveLength(1);
});

it('a 500 after COMMIT is retried with the same key and is one order', async () => {
  const { buyer, userId, orders } = createShopper(undefined, [{ status: 500, slug: 'internal' }]);
  const outcome = await buyer.purchase({ productId: free, userId });
  expect(outcome).toMatchObject({ kind: 'granted', isReplay: true });
  expect(await orders()).toHaveLength(1);
});

const turnedAway = { status: 503, slug: 'overloaded' };

// The engine creates the order on the first try, but the client receives a different answer.
it.each<{ title: string; answers: Spoilt[] }>([
  { title: 'a 500', answers: [{ status: 500, slug: 'internal' }] },
  { title: 'an unknown 500 of a later engine', answers: [{ status: 500, slug: 'of-a-later-version' }] },
  { title: 'an overload refusal after no answer', answers: ['nothing', turnedAway] },
  {
    title: 'an expired sign-in after no answer',
    answers: ['nothing', { status: 401, slug: 'not-authenticated' }],
  },
])('$title leaves the outcome open, and the key finds the order', async ({ answers }) => {
  const { buyer, userId, orders } = createShopper(undefined, answers);
  const options = { key: 'open', lostTriesMax: answers.length - 1, busyTriesMax: 0 };
  const outcome = await buyer.purchase({ productId: free, userId }, options);
  expect(isFinal(outcome)).toBe(false);
  if (outcome.kind === 'refused') expect(outcome.tookNothing).toBe(false);

  expect(await buyer.purchase({ productId: free, userId }, options)).toMatchObject({ isReplay: true });
  expect(await orders()).toHaveLength(1);
});

it('without the key each try would be a separate order', async () => {
  const proxy = await startCuttingProxy(1);
  const { buyer, userId, orders } = createShopper(proxy.url);
  await buyer.purchase({ productId: free, userId }, { lostTriesMax: 0 });
  await buyer.purchase({ productId: free, userId }, { lostTriesMax: 0 });
  expect(await orders()).toHaveLength(2);
});

it('a refusal that says "not now" is retried, never earlier than its Retry-After', async () => {
  const { buyer, sent } = await createGuest();
  for (let n = 0; n < purchasesMax; n++) await buyer.purchase({ productId: free });
  const outcome = await buyer.purchase({ productId: free }, { busyTriesMax: 9 });

  expect(outcome.kind).toBe('granted');
  const tries = sent.slice(purchasesMax);
  expect(tries.length).toBeGreaterThan(1);
  for (const [n, { atMs, retryAfter }] of tries.entries()) {
    const next = tries[n + 1];
    if (!next) continue;
    expect(Number(retryAfter)).toBeGreaterThan(0);
    expect(next.atMs - atMs).toBeGreaterThan(Number(retryAfter) * 1000);
  }
});

it('retries are limited by their number, and by time before a pause that would end too late', async () => {
  const { buyer, sent } = await createGuest();
  for (let n = 0; n < purchasesMax; n++) await buyer.purchase({ productId: free });
  const startedAtMs = performance.now();
  const outcome = await buyer.purchase({ productId: free }, { totalMs: 400 });
  expect(performance.now() - startedAtMs).toBeLessThan(purchaseEveryMs);
  expect(outcome).toMatchObject({ kind: 'refused', slug: 'rate-limited', tookNothing: true });
  expect(sent).toHaveLength(purchasesMax + 1);

  const nobody = createBuyer(createApi({ baseUrl: 'http://127.0.0.1:9' }));
  const lost = await nobody.purchase({ productId: free }, { lostTriesMax: 1 });
  expect(lost.kind).toBe('lost');
  expect(isFinal(lost)).toBe(false);
});

it('a decision is not retried and is identified by its slug', async () => {
  const { buyer, userId, sent } = createShopper();
  const refused = await buyer.purchase({ productId: free, quantity: 100_000, userId });
  expect(refused).toMatchObject({ kind: 'refused', slug: 'limit-reached', status: 409 });
  expect(isFinal(refused)).toBe(true);
  expect(sent).toHaveLength(1);
});

it('waiting for a queued order returns once it has ended', async () => {
  const { buyer, userId } = createShopper();
  const accepted = await buyer.order({ productId: queueable, userId });
  if (accepted.kind !== 'granted') throw new Error(`refused: ${JSON.stringify(accepted)}`);
  const ended = await buyer.waitForOrder(accepted.value.order_id, { userId });
  expect(ended).toMatchObject({ kind: 'ended', order: { id: accepted.value.order_id, status: 'CONFIRMED' } });
});

it('waiting for an open order ends with its last state when time is up; an unknown order is refused', async () => {
  const { buyer, userId } = createShopper();
  const held = await buyer.checkout({ productId: free, userId });
  if (held.kind !== 'granted') throw new Error(`refused: ${JSON.stringify(held)}`);
  const { id } = held.value.order;
  expect(await buyer.waitForOrder(id, { userId, timeoutMs: 300 })).toMatchObject({
    kind: 'waiting',
    order: { id, status: 'RESERVED' },
  });

  expect(await buyer.cancel(id, { userId })).toMatchObject({
    kind: 'granted',
    value: { status: 'CANCELLED' },
  });
  expect(await buyer.waitForOrder(id, { userId: 'somebody-else' })).toMatchObject({
    slug: 'order-not-found',
  });
});

it('an abort ends the pauses at once', async () => {
  const giveUp = AbortSignal.timeout(100);
  const nobody = createBuyer(createApi({ baseUrl: 'http://127.0.0.1:9' }));
  const startedAtMs = performance.now();
  expect(await nobody.purchase({ productId: free }, { signal: giveUp })).toMatchObject({ kind: 'lost' });
  expect(performance.now() - startedAtMs).toBeLessThan(2000);
});
