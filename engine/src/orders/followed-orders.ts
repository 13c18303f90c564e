import type { JournalPosition, JournalStep } from '../ledger/journal.js';

export type OnStep = (step: JournalStep) => void;

/** One order, and all who follow it here. */
export type Followed = { saleId: number; orderId: string; readers: Set<{ seenSeq: number; onStep: OnStep }> };

/** Who follows which order in this process. */
export type FollowedOrders = {
  /** @returns the order, and the way to stop following it. */
  add(orderId: string, saleId: number, afterSeq: number, onStep: OnStep): [Followed, remove: () => void];
  ofSale(saleId: number): Iterable<Followed>;
  all(): Iterable<Followed>;
  count(): number;
  /** Gives a step to those who wait for it: to everyone once, and never out of turn. */
  handOver(step: JournalStep): void;
};

/** @param onForgotten told when nobody follows an order any more. */
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
        // Whoever joined while the reading was under way may need earlier steps first; theirs has been asked for.
        if (step.seq !== reader.seenSeq + 1) continue;
        reader.seenSeq = step.seq;
        reader.onStep(step);
      }
    },
  };
}

/** Behind what the one furthest back has seen. */
export function positionOf({ saleId, orderId, readers }: Followed): JournalPosition {
  return { saleId, orderId, afterSeq: Math.min(...[...readers].map(({ seenSeq }) => seenSeq)) };
}
