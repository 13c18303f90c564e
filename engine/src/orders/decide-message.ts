import { addDeadLetter } from '../ledger/dead-letters.js';
import type { Decision, PurchaseRequest } from '../ledger/decide.js';
import type { Outage } from '../platform/outage.js';
import type { Queryable } from '../platform/postgres.js';
import type { Delivery, QueuedOrder, Settlement } from '../queue/order-queue.js';
import type { BatchQueue } from './batch-queue.js';
import type { PayInBackground } from './pay-in-background.js';
import { createSaleBackoff } from './sale-backoff.js';
import type { Undecided } from './undecided.js';

export type DecideMessageOptions = {
  db: Queryable;
  decisions: BatchQueue<PurchaseRequest, Decision>;
  outage: Outage;
  payments: PayInBackground;
  onError: (error: unknown) => void;
};

// Deliveries that count are those whose worker died, and those that could not be buried. So many are no accident.
const deliveriesMax = 20;

/**
 * What each outcome of a decision means for its message. `later` waits, however long, and is never counted as a failure: a
 * ledger that is slow, locked or paused says nothing about the order. `permanent` is a dead letter at once, `foreign` is
 * dropped.
 */
const meaning = {
  confirmed: 'done',
  reserved: 'done',
  replayed: 'done',
  'sale-not-open': 'done',
  'limit-reached': 'done',
  'payment-limit-reached': 'done',
  'address-limit-reached': 'done',
  'decline-limit-reached': 'done',
  'sold-out': 'done',
  'sale-paused': 'later',
  overloaded: 'later',
  unknown: 'later',
  undecided: 'permanent',
  // The message tells of an order that the ledger does not have as it says: nothing that we wrote. The order of that id, if
  // there is one, shall not suffer for it; the relay tells of it if its own message is lost.
  'order-not-found': 'foreign',
  'key-reused': 'foreign',
} as const satisfies Record<(Decision | Undecided)['outcome'], 'done' | 'permanent' | 'later' | 'foreign'>;

/** Has the order of a message decided. @returns what becomes of the message. */
export function createDecideMessage(
  options: DecideMessageOptions,
): (delivery: Delivery) => Promise<Settlement> {
  const { decisions, outage, payments } = options;
  const backoff = createSaleBackoff();
  const { bury, drop } = createBury(options);

  async function settle(
    outcome: keyof typeof meaning,
    { message, deliveries }: Delivery,
    joinedAtMs: number,
  ): Promise<Settlement> {
    switch (meaning[outcome]) {
      case 'done':
        return 'done';
      case 'later':
        // Where nothing answers, the next batch waits in hand instead.
        void outage.suspect();
        return { laterInMs: backoff.grow(message.saleId, joinedAtMs) };
      case 'permanent':
        return bury(message, deliveries, outcome, 'PostgreSQL refuses to decide it; the log has its words.');
      case 'foreign':
        return drop(message);
    }
  }

  return async delivery => {
    const { message, deliveries, span } = delivery;
    const { orderId, saleId, shopperId, quantity, forceFail = false } = message;
    if (forceFail) return bury(message, deliveries, 'force-fail', 'The order was sent with forceFail.');
    if (deliveries > deliveriesMax) {
      return bury(message, deliveries, 'too-many-deliveries', 'Its workers died again and again.');
    }
    const restMs = backoff.restMs(saleId);
    if (restMs > 0) return { laterInMs: restMs };
    const joinedAtMs = performance.now();
    const request = { orderId, shopperId, quantity, entrance: 'queued' as const, span };
    const decided = await decisions.join(saleId, { ...request, receivedAtMs: joinedAtMs });
    if (decided.outcome === 'reserved' && decided.paymentId !== null) payments.begin(decided.paymentId, span);
    // Behind a message that only has its id, in the same batch, it was passed over.
    if (decided.outcome === 'replayed' && decided.order.status === 'QUEUED') return { laterInMs: 0 };
    if (meaning[decided.outcome] !== 'later') backoff.end(saleId);
    return settle(decided.outcome, delivery, joinedAtMs);
  };
}

/** Takes messages off the queue whose orders cannot be decided: with a dead letter, or without one if there is no such order. */
function createBury({ db, onError }: Pick<DecideMessageOptions, 'db' | 'onError'>) {
  function drop({ orderId, saleId }: QueuedOrder): Settlement {
    onError(
      new Error(`a message of order ${orderId} in sale ${saleId} was dropped: the ledger has no such order`),
    );
    return 'done';
  }

  // Written down before the message is settled: if this fails, the message comes again.
  async function bury(
    message: QueuedOrder,
    deliveries: number,
    reason: string,
    error: string,
  ): Promise<Settlement> {
    const { saleId, orderId } = message;
    const letter = { saleId, orderId, source: 'queue' as const, reason, error, deliveries };
    return (await addDeadLetter(db, letter)) ? 'done' : drop(message);
  }

  return { bury, drop };
}
