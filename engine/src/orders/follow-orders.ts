import { readSteps } from '../ledger/journal.js';
import { sleep } from '../platform/backoff.js';
import type { Queryable } from '../platform/postgres.js';
import { createFollowedOrders, type Followed, type OnStep, positionOf } from './followed-orders.js';

export type OrderFollower = {
  /**
   * Passes on each step of the order after `afterSeq`, once and in order: existing steps at once, later ones within
   * moments of their COMMIT. @returns unfollow
   */
  follow(orderId: string, saleId: number, afterSeq: number, onStep: OnStep): () => void;
  /** A hint that orders of the sale may have changed. Never waits, never throws; a lost hint costs a second. */
  changed(saleId: number): void;
};

export type OrderFollowerOptions = {
  db: Queryable;
  /** Called if the journal cannot be read; the next read catches up. */
  onError: (error: unknown) => void;
};

// 500 index probes are a few milliseconds.
const ordersPerReadMax = 500;
// The safety net: reads changes whose hint was lost.
const readAllEveryMs = 1000;
const pauseMinMs = 10;

/**
 * Follows orders through the journal. Hints say where to look and never what happened, so a hint may come twice, late or
 * never. The callers bound the number of followed orders: one per open stream.
 */
export function createOrderFollower({ db, onError }: OrderFollowerOptions): OrderFollower {
  // A set, so that any number of hints during a read cause only one read after it.
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
    // Hints of one turn of the event loop cause one read.
    setImmediate(readUntilDone);
  }

  // In a hot sale hints arrive continuously. Each pause is as long as the read before it, so that following takes at most
  // half of one connection, however many orders are followed.
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
      // The rest would also fail, one after the other; the safety net reads all of them again.
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

/** The orders that have waited longest. */
function takeFrom(unread: Set<Followed>, max: number): Followed[] {
  const taken: Followed[] = [];
  for (const order of unread) {
    if (taken.length === max) break;
    unread.delete(order);
    taken.push(order);
  }
  return taken;
}
