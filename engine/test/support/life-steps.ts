import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect } from 'vitest';
import { orderIdOf } from '../../src/orders/order-id.js';
import { type Life, letterSources, paymentWords } from './life.js';
import { type LifeEngine, priceMinor } from './life-engine.js';
import * as money from './life-money.js';
import * as orders from './life-orders.js';

type World = { life: Life; engine: LifeEngine; run: string };
/** An event that happens both in the model and in the engine. Fails if their outcomes differ. */
export type Step = { happen: (world: World) => Promise<void> };

const sale = fc.nat(1);
/** Selects one of the orders, payments or dead letters that exist at that point. */
const which = fc.nat(1000);
const shopper = fc.constantFrom('ann', 'bob', 'cid');
const asks = fc.array(
  fc.record({
    shopper,
    key: fc.option(fc.constantFrom('k0', 'k1', 'k2', 'k3')),
    quantity: fc.integer({ min: 1, max: 3 }),
    entrance: fc.constantFrom('direct' as const, 'checkout' as const),
  }),
  { minLength: 1, maxLength: 3 },
);
const keys = [randomUUID(), randomUUID()] as const;

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  step('buy', 5, fc.record({ sale, asks }), async ({ sale, asks }, { life, engine, run }) => {
    const asked = withIds(asks, sale, life, run);
    const expected = asked.map(ask => orders.buy(life, ask, ask.entrance));
    expect(await engine.decide(sale, asked)).toEqual(expected);
  }),
  step('accept', 3, fc.record({ sale, asks }), async ({ sale, asks }, { life, engine, run }) => {
    const asked = withIds(asks, sale, life, run);
    const expected = asked.map(ask => orders.accept(life, ask));
    expect(await engine.accept(sale, asked)).toEqual(expected);
  }),
  step('decide queued', 4, fc.record({ which, times: fc.constantFrom(1, 2) }), decideQueued),
  step('decide an unknown order', 1, fc.record({ sale }), async ({ sale }, { life, engine }) => {
    const ask = { orderId: randomUUID(), sale, shopper: 'ann', quantity: 1, entrance: 'queued' as const };
    expect(await engine.decide(sale, [ask])).toEqual([orders.decideQueued(life, ask.orderId)]);
  }),
  step(
    'redeem',
    5,
    fc.record({ which, asker: fc.option(shopper, { freq: 8 }), key: fc.constantFrom(...keys) }),
    async ({ which, asker, key }, { life, engine }) => {
      const order = pick([...life.orders.values()], which);
      if (!order) return;
      const presenter = asker ?? order.shopper;
      const expected = orders.redeem(life, order.orderId, presenter, key);
      expect(await engine.redeem(order, presenter, key)).toBe(expected);
    },
  ),
  step('cancel', 2, fc.record({ which, asker: fc.option(shopper) }), async ({ which, asker }, world) => {
    const { life, engine } = world;
    const order = pick([...life.orders.values()], which);
    if (!order) return;
    const canceller = asker ?? order.shopper;
    const expected = orders.cancel(life, order.orderId, canceller);
    expect(await engine.cancel(order, canceller)).toBe(expected);
  }),
  step(
    'hear from the provider',
    8,
    fc.record({ which, word: fc.constantFrom(...paymentWords) }),
    async (given, world) => {
      const { life, engine } = world;
      const payment = pick([...life.payments.entries()], given.which);
      if (!payment) return;
      const [number, { order }] = payment;
      const expected = money.hear(life, number, given.word);
      expect(await engine.hear(order, number, given.word, order.quantity * priceMinor)).toBe(expected);
    },
  ),
  step('lapse', 2, fc.record({ which }), async ({ which }, { life, engine }) => {
    const order = pick([...life.orders.values()], which);
    if (!order) return;
    orders.lapse(life, order.orderId);
    await engine.lapse(order);
  }),
  step('expire', 2, fc.record({ sale }), async ({ sale }, { life, engine }) => {
    const expected = orders.expire(life, sale);
    expect(await engine.expire(sale)).toBe(expected);
  }),
  step(
    'add a dead letter',
    2,
    fc.record({ which, source: fc.constantFrom(...letterSources) }),
    async ({ which, source }, { life, engine }) => {
      const order = pick([...life.orders.values()], which);
      if (!order) return;
      money.addLetter(life, order.orderId, source);
      await engine.addLetter(order, source);
    },
  ),
  step('compensate', 2, fc.record({}), async (_given, { life, engine }) => {
    const expected = money.compensate(life);
    expect(await engine.compensate()).toBe(expected);
  }),
  step(
    'resolve',
    3,
    fc.record({ which, how: fc.constantFrom('replay' as const, 'discard' as const) }),
    async ({ which, how }, { life, engine }) => {
      const letter = pick([...life.letters.keys()], which);
      if (letter === undefined) return;
      const expected = money.resolve(life, letter, how);
      expect(await engine.resolve(letter, how)).toBe(expected);
    },
  ),
  step(
    'set the status',
    1,
    fc.record({ sale, to: fc.constantFrom(...(['paused', 'active', 'active', 'active', 'ended'] as const)) }),
    async ({ sale, to }, { life, engine }) => {
      const expected = orders.setStatus(life, sale, to);
      expect(await engine.setStatus(sale, to)).toBe(expected);
    },
  ),
);

/** A message may arrive twice, even within one batch. */
async function decideQueued({ which, times }: { which: number; times: number }, { life, engine }: World) {
  const order = pick(
    [...life.orders.values()].filter(({ entrance }) => entrance === 'queued'),
    which,
  );
  if (!order) return;
  const messages = Array.from({ length: times }, () => order);
  const expected = messages.map(({ orderId }) => orders.decideQueued(life, orderId));
  expect(await engine.decide(order.sale, messages)).toEqual(expected);
}

/** A step as fast-check generates, shrinks and prints it. */
function step<Given>(
  name: string,
  weight: number,
  given: fc.Arbitrary<Given>,
  take: (given: Given, world: World) => Promise<void>,
) {
  const arbitrary = given.map(values => ({
    happen: (world: World) => take(values, world),
    [fc.toStringMethod]: () => `${name} ${JSON.stringify(values)}`,
  }));
  return { weight, arbitrary };
}

type Asked = { shopper: string; key: string | null; quantity: number; entrance: 'direct' | 'checkout' };

/** Adds the order ids to the requests. Without a key, each request gets its own id. */
function withIds(asks: readonly Asked[], sale: number, life: Life, run: string) {
  return asks.map(({ key, shopper, quantity, entrance }, i) => {
    const orderId = orderIdOf(`${run} ${shopper}`, key ?? `${life.orders.size} ${i} ${entrance}`);
    return { orderId, sale, shopper, quantity, entrance };
  });
}

function pick<T>(list: readonly T[], which: number): T | undefined {
  return list[which % list.length];
}
