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

// A delivery counts if its worker died, or if the message could not be buried. This many are no accident.
const deliveriesMax = 20;

/**
 * What each outcome of a decision means for its message. `later` waits, however long, and never counts as a failure: that
 * the ledger is slow or locked, or the sale paused, is not the order's fault. `permanent` becomes a dead letter at once,
 * `foreign` is dropped.
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
  // The message does not match the ledger, so the engine did not write it. The order with that id, if there is one, must
  // not suffer for it; the relay re-publishes it if its own message is lost.
  'order-not-found': 'foreign',
  'key-reused': 'foreign',
} as const satisfies Record<(Decision | Undecided)['outcome'], 'done' | 'permanent' | 'later' | 'foreign'>;

/** Decides the order of a message. @returns what to do with the message. */
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
        // If the database does not answer at all, the next batch waits in this process instead.
        void outage.suspect();
        return { laterInMs: backoff.grow(message.saleId, joinedAtMs) };
      case 'permanent':
        return bury(message, deliveries, outcome, 'PostgreSQL refuses to decide it; the log has its error.');
      case 'foreign':
        return drop(message);
    }
  }

  return async delivery => {
    const { message, deliveries, span } = delivery;
    const { orderId, saleId, shopperId, quantity, forceFail = false } = message;
    if (forceFail) return bury(message, deliveries, 'force-fail', 'The order was sent with forceFail.');
    if (deliveries > deliveriesMax) {
      return bury(message, deliveries, 'too-many-deliveries', 'Its workers died repeatedly.');
    }
    const restMs = backoff.restMs(saleId);
    if (restMs > 0) return { laterInMs: restMs };
    const joinedAtMs = performance.now();
    const request = { orderId, shopperId, quantity, entrance: 'queued' as const, span };
    const decided = await decisions.join(saleId, { ...request, receivedAtMs: joinedAtMs });
    if (decided.outcome === 'reserved' && decided.paymentId !== null) payments.begin(decided.paymentId, span);
    // In the same batch, another message with the same id came first and was not decided.
    if (decided.outcome === 'replayed' && decided.order.status === 'QUEUED') return { laterInMs: 0 };
    if (meaning[decided.outcome] !== 'later') backoff.end(saleId);
    return settle(decided.outcome, delivery, joinedAtMs);
  };
}

/** Removes messages whose orders cannot be decided: with a dead letter, or without one if there is no such order. */
function createBury({ db, onError }: Pick<DecideMessageOptions, 'db' | 'onError'>) {
  function drop({ orderId, saleId }: QueuedOrder): Settlement {
    onError(
      new Error(`a message of order ${orderId} in sale ${saleId} was dropped: the ledger has no such order`),
    );
    return 'done';
  }

  // Stored before the message is settled: if this fails, the message is redelivered.
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
