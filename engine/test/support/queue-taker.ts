import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { Consumer, Delivery, OrderQueue, QueuedOrder, Settlement } from '../../src/queue/order-queue.js';

/** A broker for the test with an empty queue, both removed when the test ends. */
type TestBroker = {
  /** @param leaseMs how soon a silent consumer loses its messages, if the broker has to be told. */
  connect(options?: { leaseMs?: number }): Promise<TestLink>;
};

/** The queue as one process sees it. */
type TestLink = {
  queue: OrderQueue;
  /** Cuts off all traffic between this process and the broker, which then takes the process for dead. */
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
  /** Awaited with each batch in hand. */
  before?: () => Promise<unknown>;
  settle?: (delivery: Delivery) => Settlement;
};

/** Consumes and records messages; settles each as done unless told otherwise. */
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

/** Blocks a handler until it is opened, at the latest when the test ends. */
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
