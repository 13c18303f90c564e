import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Delivery, QueuedOrder } from '../../src/queue/order-queue.js';
import { publishMax, retryInMsMax, type Settlement } from '../../src/queue/order-queue.js';
import { until } from './condition.js';
import { describeLeases, describeStopping } from './queue-contract-leases.js';
import {
  type CreateBroker,
  connectOnce,
  countOf,
  createGate,
  idsOf,
  isEmpty,
  order,
  orders,
  type Taker,
  take,
} from './queue-taker.js';
import { clientSpan } from './traces.js';

/** The guarantees of every queue adapter. */
export function describeQueueContract(name: string, createBroker: CreateBroker): void {
  describePublishing(name, createBroker);
  describeConsuming(name, createBroker);
  describeLeases(name, createBroker);
  describeStopping(name, createBroker);
  describeDepth(name, createBroker);
}

const emptyDepth = { ready: 0, inFlight: 0, delayed: 0, oldestAgeMs: 0 };

function describePublishing(name: string, createBroker: CreateBroker): void {
  describe(`${name}: publishing`, () => {
    it('delivers everything as it was published', async () => {
      const queue = await connectOnce(createBroker);
      const names = ['plain', 'with "quotes", commas', 'back\\slash', 'NULL', '{}', 'line\nend', 'Zoë 🎟'];
      const messages = names.map(shopperId => ({ ...order(), shopperId, quantity: 3, saleId: 2 ** 40 }));
      const failing = { ...order(), forceFail: true };
      const traced = { ...order(), traceparent: clientSpan().traceparent };
      const all = [...messages, failing, traced];

      await queue.publish(all);
      const taker = take(queue);

      await until('all are delivered', () => taker.deliveries.length === all.length);
      expect(byId(taker.deliveries.map(({ message }) => message))).toEqual(byId(all));
      expect(taker.deliveries.every(({ deliveries }) => deliveries === 1)).toBe(true);
    });

    it('accepts an empty publish and one as large as the bound, and refuses one more', async () => {
      const queue = await connectOnce(createBroker);
      await queue.publish([]);
      expect(await queue.depth()).toEqual(emptyDepth);

      const messages = orders(publishMax);
      await expect(queue.publish([...messages, order()])).rejects.toMatchObject({
        code: 'PUBLISH_TOO_LARGE',
      });
      await queue.publish(messages);
      const taker = take(queue, { batchMax: 1000 });

      await until('all are delivered', () => taker.deliveries.length >= publishMax, 20_000);
      expect(new Set(idsOf(taker.deliveries))).toEqual(new Set(messages.map(({ orderId }) => orderId)));
    });

    it('reaches a consumer that is already waiting', async () => {
      const broker = await createBroker();
      const { queue } = await broker.connect();
      const taker = take((await broker.connect()).queue);

      for (let i = 1; i <= 5; i++) {
        await queue.publish(orders(1));
        await until('it is delivered', () => taker.deliveries.length === i);
      }
    });
  });
}

function describeConsuming(name: string, createBroker: CreateBroker): void {
  describe(`${name}: consuming`, () => {
    it('delivers batches of up to batchMax, never more', async () => {
      const queue = await connectOnce(createBroker);
      await queue.publish(orders(105));

      const taker = take(queue, { batchMax: 10 });

      await until('all are delivered', () => taker.deliveries.length === 105);
      const sizes = taker.batches.map(batch => batch.length);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
      expect(Math.max(...sizes)).toBeGreaterThan(1);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
    });

    it('refuses a batchMax out of bounds', async () => {
      const queue = await connectOnce(createBroker);
      for (const batchMax of [0, -1, 1.5, Number.NaN, publishMax + 1]) {
        expect(() => take(queue, { batchMax })).toThrow(RangeError);
      }
    });

    it('never redelivers what was settled as done', async () => {
      const queue = await connectOnce(createBroker);
      await queue.publish(orders(100));
      const first = take(queue, { batchMax: 7 });
      await until('all are delivered', () => first.deliveries.length === 100);
      await first.stop();

      const marker = order();
      await queue.publish([marker]);
      const second = take(queue);

      await until('the marker is delivered and settled', async () => isEmpty(await queue.depth()));
      expect(idsOf(second.deliveries)).toEqual([marker.orderId]);
      expect(new Set(idsOf(first.deliveries)).size).toBe(100);
    });

    it('redelivers a retried message with its trace, counted and not before its time; its neighbours stay done', async () => {
      const queue = await connectOnce(createBroker);
      const retried = { ...order(), traceparent: clientSpan().traceparent };
      await queue.publish([...orders(5), retried, ...orders(4)]);
      let settledAtMs = 0;

      const taker = take(queue, {
        settle: ({ message, deliveries }) => {
          if (message.orderId !== retried.orderId || deliveries > 1) return 'done';
          settledAtMs = performance.now();
          return { retryInMs: 400 };
        },
      });

      await until('it is redelivered', () => taker.deliveries.length === 11);
      // The broker's clock and this process's may disagree on the delay by some milliseconds.
      expect(performance.now() - settledAtMs).toBeGreaterThan(380);
      expect(taker.deliveries.at(-1)).toEqual({ message: retried, deliveries: 2 });
      await until('the queue is empty', async () => isEmpty(await queue.depth()));
    });

    it('redelivers a postponed message without counting, once its time has come', async () => {
      const queue = await connectOnce(createBroker);
      await queue.publish([order()]);
      let settlements = 0;

      const taker = take(queue, {
        settle() {
          settlements += 1;
          if (settlements <= 3) return { laterInMs: 0 };
          return settlements === 4 ? { retryInMs: 0 } : 'done';
        },
      });

      await until('it is done', () => settlements === 5);
      await until('the queue is empty', async () => isEmpty(await queue.depth()));
      expect(taker.deliveries.map(({ deliveries }) => deliveries)).toEqual([1, 1, 1, 1, 2]);
    });

    it.each<[string, () => Promise<readonly Settlement[]>]>([
      ['rejects', () => Promise.reject(new Error('on purpose'))],
      ['throws before it has a promise', () => thrown()],
      ['answers too few settlements', async () => ['done', 'done']],
      ['answers too many settlements', async () => ['done', 'done', 'done', 'done']],
      ['requests a retry in the past', async () => ['done', { retryInMs: -1 }, 'done']],
      ['requests a retry without a time', async () => ['done', { retryInMs: Number.NaN }, 'done']],
      ['requests a retry too late', async () => ['done', { retryInMs: retryInMsMax + 1 }, 'done']],
      ['postpones one for too long', async () => ['done', { laterInMs: retryInMsMax + 1 }, 'done']],
    ])('redelivers the whole batch, and reports it, when the handler %s', async (_, failing) => {
      const queue = await connectOnce(createBroker);
      await queue.publish(orders(3));
      let first: readonly Delivery[] | undefined;
      const errors: unknown[] = [];
      const deliveries: Delivery[] = [];

      queue.consume({
        batchMax: 3,
        onError: error => errors.push(error),
        handle(batch) {
          deliveries.push(...batch);
          if (first) return Promise.resolve(batch.map(() => 'done' as const));
          first = batch;
          return failing();
        },
      });

      // A broker that hands messages over one by one may begin with a batch of fewer than three.
      await until('its batch is redelivered', () => deliveries.length === 3 + (first?.length ?? 3), 20_000);
      const again = deliveries
        .filter(delivery => delivery.deliveries === 2)
        .map(({ message }) => message.orderId);
      expect(again.sort()).toEqual(first?.map(({ message }) => message.orderId).sort());
      expect(errors).toHaveLength(1);
    });

    it('is shared by two consumers without overlap', async () => {
      const broker = await createBroker();
      const links = [await broker.connect(), await broker.connect()] as const;
      await links[0].queue.publish(orders(2000));

      // Neither continues before the other has a batch, so that both certainly take part.
      const takers: Taker[] = [];
      const before = () => until('both take part', () => takers.every(taker => taker.batches.length > 0));
      for (const { queue } of links) takers.push(take(queue, { batchMax: 50, before }));

      await until('all are delivered', () => countOf(takers) >= 2000, 20_000);
      await Promise.all(takers.map(taker => taker.stop()));
      expect(countOf(takers)).toBe(2000);
      expect(new Set(takers.flatMap(taker => idsOf(taker.deliveries))).size).toBe(2000);
    });
  });
}

function describeDepth(name: string, createBroker: CreateBroker): void {
  describe(`${name}: depth`, () => {
    it('reports the ready, in-flight and delayed messages', async () => {
      const queue = await connectOnce(createBroker);
      const gate = createGate();
      expect(await queue.depth()).toEqual(emptyDepth);
      await queue.publish(orders(5));
      expect(await queue.depth()).toMatchObject({ ready: 5, inFlight: 0, delayed: 0 });

      const taker = take(queue, {
        batchMax: 5,
        before: gate.pass,
        settle: () => ({ retryInMs: retryInMsMax }),
      });
      await until('they are in flight', async () => (await queue.depth()).inFlight === 5);
      expect(await queue.depth()).toMatchObject({ ready: 0, delayed: 0, oldestAgeMs: 0 });

      gate.open();
      // A broker may count a delayed message a moment before it stops counting it as in flight.
      const isDelayed = { ready: 0, inFlight: 0, delayed: 5, oldestAgeMs: 0 };
      await until('they are delayed', async () => isDeepStrictEqual(await queue.depth(), isDelayed));
      expect(taker.deliveries).toHaveLength(5);
    });
  });
}

function byId(messages: readonly QueuedOrder[]): QueuedOrder[] {
  return [...messages].sort((a, b) => a.orderId.localeCompare(b.orderId));
}

function thrown(): never {
  throw new Error('on purpose');
}
