import type { JournalPosition, JournalStep } from '../ledger/journal.js';

export type OnStep = (step: JournalStep) => void;

/** One order, and all its followers in this process. */
export type Followed = { saleId: number; orderId: string; readers: Set<{ seenSeq: number; onStep: OnStep }> };

/** The followed orders of this process, with their followers. */
export type FollowedOrders = {
  /** @returns the order, and a function that stops following it. */
  add(orderId: string, saleId: number, afterSeq: number, onStep: OnStep): [Followed, remove: () => void];
  ofSale(saleId: number): Iterable<Followed>;
  all(): Iterable<Followed>;
  count(): number;
  /** Passes a step to the followers that wait for it: to each once, and in order. */
  handOver(step: JournalStep): void;
};

/** @param onForgotten called when an order no longer has followers. */
export function createFollowedOrders(onForgotten: (order: Followed) => void): FollowedOrders {
  const byOrder = new Map<string, Followed>();
  const bySale = new Map<number, Set<Followed>>();

  function find(orderId: string, saleId: number): Followed {
    const known = byOrder.get(orderId);
    if (known) return known;
    const order: Followed = { saleId, orderId, readers: new Set() };
    byOrder.set(orderId, order);
    const ofSale = bySale.get(saleId);
    if (ofSale) ofSale.add(order);
    else bySale.set(saleId, new Set([order]));
    return order;
  }

  function forget(order: Followed): void {
    byOrder.delete(order.orderId);
    const ofSale = bySale.get(order.saleId);
    ofSale?.delete(order);
    if (ofSale?.size === 0) bySale.delete(order.saleId);
    onForgotten(order);
  }

  return {
    add(orderId, saleId, afterSeq, onStep) {
      const order = find(orderId, saleId);
      const reader = { seenSeq: afterSeq, onStep };
      order.readers.add(reader);
      const remove = () => {
        if (order.readers.delete(reader) && order.readers.size === 0) forget(order);
      };
      return [order, remove];
    },
    ofSale: saleId => bySale.get(saleId) ?? [],
    all: () => byOrder.values(),
    count: () => byOrder.size,
    handOver(step) {
      for (const reader of byOrder.get(step.orderId)?.readers ?? []) {
        // A follower that joined during the read may need earlier steps first; its own read is already requested.
        if (step.seq !== reader.seenSeq + 1) continue;
        reader.seenSeq = step.seq;
        reader.onStep(step);
      }
    },
  };
}

/** The position of the follower that is furthest behind. */
export function positionOf({ saleId, orderId, readers }: Followed): JournalPosition {
  return { saleId, orderId, afterSeq: Math.min(...[...readers].map(({ seenSeq }) => seenSeq)) };
}
