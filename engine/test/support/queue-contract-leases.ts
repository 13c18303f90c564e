import { describe, expect, it } from 'vitest';
import { until } from './condition.js';
import {
  type CreateBroker,
  connectOnce,
  createGate,
  idsOf,
  isEmpty,
  order,
  orders,
  take,
} from './queue-taker.js';

/** What happens to the messages of a consumer that dies, falls behind or is slow. */
export function describeLeases(name: string, createBroker: CreateBroker): void {
  describe(`${name}: leases`, () => {
    it('loses nothing when a consumer dies with messages in hand', async () => {
      const broker = await createBroker();
      const dying = await broker.connect({ leaseMs: 300 });
      const gate = createGate();
      await dying.queue.publish(orders(20));
      const died = take(dying.queue, { batchMax: 20, before: gate.pass });
      await until('it has some in hand', () => died.deliveries.length > 0);

      dying.cut();
      const heir = take((await broker.connect()).queue);

      await until('all are redelivered to the other', () => heir.deliveries.length === 20, 20_000);
      const inherited = heir.deliveries.filter(({ deliveries }) => deliveries > 1);
      expect(idsOf(inherited)).toEqual(expect.arrayContaining(idsOf(died.deliveries)));
      gate.open();
    });

    it('ignores settlements by a consumer that has lost its messages', async () => {
      const broker = await createBroker();
      const stale = await broker.connect({ leaseMs: 300 });
      const gates = { stale: createGate(), heir: createGate() };
      await stale.queue.publish(orders(1));
      const late = take(stale.queue, { before: gates.stale.pass });
      await until('it has the message in hand', () => late.deliveries.length === 1);
      stale.cut();
      const heir = take((await broker.connect()).queue, {
        before: gates.heir.pass,
        settle: ({ deliveries }) => (deliveries === 2 ? { retryInMs: 0 } : 'done'),
      });
      await until('the other has it in hand', () => heir.deliveries.length === 1, 20_000);

      stale.mend();
      gates.stale.open();
      await late.stop();
      gates.heir.open();

      await until('it is redelivered', () => heir.deliveries.length === 2);
      expect(heir.deliveries.map(({ deliveries }) => deliveries)).toEqual([2, 3]);
    });

    it('leaves a slow but living consumer its messages', async () => {
      const broker = await createBroker();
      const leaseMs = 1000;
      const slow = await broker.connect({ leaseMs });
      const gate = createGate();
      const held = order();
      await slow.queue.publish([held]);
      const holder = take(slow.queue, { batchMax: 1, before: gate.pass });
      await until('it has the message in hand', () => holder.deliveries.length === 1);

      // A broker may hand over the next batch before this one is settled, but no more than that.
      await slow.queue.publish(orders(10));
      const other = take((await broker.connect()).queue, {
        settle: ({ deliveries }) => (deliveries === 1 ? { retryInMs: 2 * leaseMs } : 'done'),
      });
      const hasPassed = () => other.deliveries.some(({ deliveries }) => deliveries === 2);
      await until('two leases have passed', hasPassed, 20_000);
      expect(idsOf(other.deliveries)).not.toContain(held.orderId);
      expect(new Set(idsOf(other.deliveries)).size).toBeGreaterThanOrEqual(9);

      gate.open();
      await until('the queue is empty', async () => isEmpty(await slow.queue.depth()));
      expect(holder.errors).toEqual([]);
    });
  });
}

export function describeStopping(name: string, createBroker: CreateBroker): void {
  describe(`${name}: stopping`, () => {
    it('finishes and settles the batch in hand, then takes no more', async () => {
      const queue = await connectOnce(createBroker);
      const gate = createGate();
      await queue.publish(orders(10));
      const taker = take(queue, { batchMax: 4, before: gate.pass });
      await until('it has a batch in hand', () => taker.batches.length === 1);

      let isStopped = false;
      const stopped = taker.stop().then(() => {
        isStopped = true;
      });
      expect((await queue.depth()).inFlight).toBeGreaterThan(0);
      expect(isStopped).toBe(false);
      gate.open();
      await stopped;

      expect(taker.batches).toHaveLength(1);
      const rest = 10 - taker.deliveries.length;
      await until('the rest waits', async () => (await queue.depth()).ready === rest);
      expect(await queue.depth()).toMatchObject({ inFlight: 0, delayed: 0 });

      const heir = take(queue);
      await until('the rest is delivered', () => heir.deliveries.length === rest);
      // No consumer had ever had what it gave back.
      const counts = heir.deliveries.map(({ deliveries }) => deliveries);
      expect({ counts, errors: taker.errors }).toEqual({ counts: counts.map(() => 1), errors: [] });
    });

    it('stops at once when nothing is in hand, and may be stopped again', async () => {
      const queue = await connectOnce(createBroker);
      const taker = take(queue);
      await taker.stop();
      await taker.stop();
    });

    it('settles what it has in hand when it closes, and then takes and publishes nothing more', async () => {
      const broker = await createBroker();
      const { queue } = await broker.connect();
      const gate = createGate();
      await queue.publish(orders(3));
      const taker = take(queue, { batchMax: 3, before: gate.pass });
      await until('it has a batch in hand', () => taker.deliveries.length === 3);

      const closed = queue.close();
      gate.open();
      await closed;

      await expect(queue.publish([order()])).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
      expect(() => take(queue)).toThrow('closed');
      const other = (await broker.connect()).queue;
      await until('the queue is empty', async () => isEmpty(await other.depth()));
    });
  });
}
