import { readSteps } from '../ledger/journal.js';
import { sleep } from '../platform/backoff.js';
import type { Queryable } from '../platform/postgres.js';
import { createFollowedOrders, type Followed, type OnStep, positionOf } from './followed-orders.js';

export type OrderFollower = {
  /**
   * Hands over each step of the order behind `afterSeq`, once and in order: those that exist at once, the others within
   * moments of their COMMIT. @returns unfollow
   */
  follow(orderId: string, saleId: number, afterSeq: number, onStep: OnStep): () => void;
  /** A hint that orders of the sale may have changed. Never waits, never throws; one that is lost costs a second. */
  changed(saleId: number): void;
};

export type OrderFollowerOptions = {
  db: Queryable;
  /** Told when the journal can not be read; the next reading makes up for it. */
  onError: (error: unknown) => void;
};

// 500 index probes are a few milliseconds.
const ordersPerReadMax = 500;
// The safety net: by then is read whatever no hint has told.
const readAllEveryMs = 1000;
const pauseMinMs = 10;

/**
 * Follows orders through the journal. Hints say where to look and never what happened, so that a hint may come twice,
 * late or never. How many orders are followed is bounded by whoever follows them: one an open stream.
 */
export function createOrderFollower({ db, onError }: OrderFollowerOptions): OrderFollower {
  // A set, so that any number of hints during a reading are one reading after it.
  const unread = new Set<Followed>();
  const followed = createFollowedOrders(order => {
    unread.delete(order);
    if (followed.count() > 0) return;
    clearInterval(safetyNet);
    safetyNet = undefined;
  });
  let safetyNet: NodeJS.Timeout | undefined;
  let isReading = false;

  function read(orders: Iterable<Followed>): void {
    for (const order of orders) unread.add(order);
    if (isReading || unread.size === 0) return;
    isReading = true;
    // Hints of one turn are one reading.
    setImmediate(readUntilDone);
  }

  // In a hot sale hints come without end. Each pause is as long as the reading before it, so that following takes half
  // of one connection at most, however many are followed.
  async function readUntilDone(): Promise<void> {
    while (unread.size > 0) {
      const startedAtMs = performance.now();
      await readOnce();
      await sleep(Math.max(pauseMinMs, performance.now() - startedAtMs));
    }
    isReading = false;
  }

  async function readOnce(): Promise<void> {
    const orders = takeFrom(unread, ordersPerReadMax);
    try {
      for (const step of await readSteps(db, orders.map(positionOf))) followed.handOver(step);
    } catch (error) {
      // The rest would fail as well, one after the other; the safety net asks for all of them again.
      unread.clear();
      onError(error);
    }
  }

  return {
    follow(orderId, saleId, afterSeq, onStep) {
      const [order, remove] = followed.add(orderId, saleId, afterSeq, onStep);
      safetyNet ??= setInterval(() => read(followed.all()), readAllEveryMs).unref();
      read([order]);
      return remove;
    },
    changed: saleId => read(followed.ofSale(saleId)),
  };
}

/** Those that have waited longest. */
function takeFrom(unread: Set<Followed>, max: number): Followed[] {
  const taken: Followed[] = [];
  for (const order of unread) {
    if (taken.length === max) break;
    unread.delete(order);
    taken.push(order);
  }
  return taken;
}
