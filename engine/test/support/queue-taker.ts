import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { Consumer, Delivery, OrderQueue, QueuedOrder, Settlement } from '../../src/queue/order-queue.js';

/** A broker of the test's own, with an empty queue on it, both gone when the test ends. */
type TestBroker = {
  /** @param leaseMs how soon a consumer that fell silent loses what it has in hand, where the broker needs to be told. */
  connect(options?: { leaseMs?: number }): Promise<TestLink>;
};

/** The queue as one process sees it. */
type TestLink = {
  queue: OrderQueue;
  /** From now on nothing passes between this process and the broker, whose view is that the process is gone. */
  cut(): void;
  mend(): void;
};

export type CreateBroker = () => Promise<TestBroker>;

export async function connectOnce(createBroker: CreateBroker): Promise<OrderQueue> {
  return (await (await createBroker()).connect()).queue;
}

export type Taker = {
  deliveries: Delivery[];
  batches: (readonly Delivery[])[];
  errors: unknown[];
  stop: Consumer['stop'];
};
type TakeOptions = {
  batchMax?: number;
  /** Waited for with each batch in hand. */
  before?: () => Promise<unknown>;
  settle?: (delivery: Delivery) => Settlement;
};

/** Consumes and remembers; settles everything as done unless it is told otherwise. */
export function take(
  queue: OrderQueue,
  { batchMax = 100, before = async () => {}, settle = () => 'done' }: TakeOptions = {},
): Taker {
  const deliveries: Delivery[] = [];
  const batches: (readonly Delivery[])[] = [];
  const errors: unknown[] = [];
  const { stop } = queue.consume({
    batchMax,
    onError: error => errors.push(error),
    async handle(batch) {
      batches.push(batch);
      deliveries.push(...batch);
      await before();
      return batch.map(settle);
    },
  });
  return { deliveries, batches, errors, stop };
}

/** Holds a handler back until it is opened, at the latest when the test ends. */
export function createGate(): { pass: () => Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  onTestFinished(open);
  return { pass: () => opened, open };
}

export function order(): QueuedOrder {
  return { orderId: randomUUID(), saleId: 1, shopperId: 'shopper', quantity: 1 };
}

export function orders(count: number): QueuedOrder[] {
  return Array.from({ length: count }, order);
}

export function idsOf(deliveries: readonly Delivery[]): string[] {
  return deliveries.map(({ message }) => message.orderId);
}

export function isEmpty({ ready, inFlight, delayed }: Awaited<ReturnType<OrderQueue['depth']>>): boolean {
  return ready + inFlight + delayed === 0;
}

export function countOf(takers: readonly Taker[]): number {
  return takers.reduce((sum, taker) => sum + taker.deliveries.length, 0);
}
