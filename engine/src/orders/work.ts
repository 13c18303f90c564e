import { addDeadLetter } from '../ledger/dead-letters.js';
import type { Decision, PurchaseRequest } from '../ledger/decide.js';
import { backoffMs } from '../platform/backoff.js';
import type { Outage } from '../platform/outage.js';
import type { Queryable } from '../platform/postgres.js';
import type { Span } from '../platform/telemetry/tracing.js';
import type { Consumer, Delivery, OrderQueue, Settlement } from '../queue/order-queue.js';
import type { BatchQueue } from './batch-queue.js';
import type { Pay } from './pay.js';
import { createSaleBackoff } from './sale-backoff.js';
import type { Undecided } from './undecided.js';

export type WorkOptions = {
  queue: OrderQueue;
  db: Queryable;
  decisions: BatchQueue<PurchaseRequest, Decision>;
  outage: Outage;
  pay: Pay;
  batchMax: number;
  onError: (error: unknown) => void;
};

// Deliveries that count are those whose worker died, and those that could not be buried. So many are no accident.
const deliveriesMax = 20;
const brokenRetryMs = 100;
const brokenRetryMaxMs = 30_000;
// While the database is down a batch in hand waits for it this long before it goes back into the queue, where anybody sees
// it. However often that happens, it is no failure of the message's.
const outageWaitMs = 10_000;
const outageRetryMs = 1000;
// Payments of queued orders that this worker makes side by side; the reconciler makes those beyond.
const paymentsMax = 100;

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

/** The worker: decides queued orders in batches through the same queue of decisions as the other entrances. */
export function startWork(options: WorkOptions): Consumer {
  const { queue, batchMax, outage, onError } = options;
  const stopping = new AbortController();
  const backoff = createSaleBackoff();
  const payments = createPayInBackground(options);

  async function decide({ message, deliveries, span }: Delivery): Promise<Settlement> {
    const { orderId, saleId, shopperId, quantity, forceFail = false } = message;
    if (forceFail) return bury(message, deliveries, 'force-fail', 'The order was sent with forceFail.');
    if (deliveries > deliveriesMax) {
      return bury(message, deliveries, 'too-many-deliveries', 'Its workers died again and again.');
    }
    const restMs = backoff.restMs(saleId);
    if (restMs > 0) return { laterInMs: restMs };
    const joinedAtMs = performance.now();
    const decided = await options.decisions.join(saleId, {
      orderId,
      shopperId,
      quantity,
      entrance: 'queued',
      receivedAtMs: joinedAtMs,
      span,
    });
    if (decided.outcome === 'reserved' && decided.paymentId !== null) payments.begin(decided.paymentId, span);
    // Behind a message that only has its id, in the same batch, it was passed over.
    if (decided.outcome === 'replayed' && decided.order.status === 'QUEUED') return { laterInMs: 0 };
    if (meaning[decided.outcome] !== 'later') backoff.end(saleId);
    return settle(decided.outcome, message, deliveries, joinedAtMs);
  }

  function settleLater(saleId: number, joinedAtMs: number): Settlement {
    // Where nothing answers, the next batch waits in hand instead.
    void outage.suspect();
    return { laterInMs: backoff.grow(saleId, joinedAtMs) };
  }

  async function settle(
    outcome: keyof typeof meaning,
    message: Delivery['message'],
    deliveries: number,
    joinedAtMs: number,
  ): Promise<Settlement> {
    switch (meaning[outcome]) {
      case 'done':
        return 'done';
      case 'later':
        return settleLater(message.saleId, joinedAtMs);
      case 'permanent':
        return bury(message, deliveries, outcome, 'PostgreSQL refuses to decide it; the log has its words.');
      case 'foreign':
        return drop(message);
    }
  }

  function drop({ orderId, saleId }: Delivery['message']): Settlement {
    onError(
      new Error(`a message of order ${orderId} in sale ${saleId} was dropped: the ledger has no such order`),
    );
    return 'done';
  }

  // Written down before the message is settled: if this fails, the message comes again.
  async function bury(
    message: Delivery['message'],
    deliveries: number,
    reason: string,
    error: string,
  ): Promise<Settlement> {
    const { saleId, orderId } = message;
    const letter = { saleId, orderId, source: 'queue' as const, reason, error, deliveries };
    return (await addDeadLetter(options.db, letter)) ? 'done' : drop(message);
  }

  // One that can not even be buried comes again; its neighbours, which are decided, do not.
  async function handle(delivery: Delivery): Promise<Settlement> {
    try {
      return await decide(delivery);
    } catch (error) {
      onError(error);
      if (await outage.suspect()) return { laterInMs: outageRetryMs };
      return { retryInMs: backoffMs(delivery.deliveries - 1, brokenRetryMs, brokenRetryMaxMs) };
    }
  }

  async function handleAll(deliveries: readonly Delivery[]): Promise<Settlement[]> {
    await outage.over(outageWaitMs, stopping.signal);
    if (outage.isOn()) return deliveries.map(() => ({ laterInMs: outageRetryMs }));
    return Promise.all(deliveries.map(handle));
  }

  const consumer = queue.consume({ batchMax, handle: handleAll, onError });
  return {
    async stop() {
      stopping.abort();
      await consumer.stop();
      await payments.ended();
    },
  };
}

/** Pays without keeping the messages behind it waiting; what is lost or has no room is the reconciler's. */
function createPayInBackground({ pay, onError }: WorkOptions) {
  const underWay = new Set<Promise<unknown>>();
  return {
    begin(paymentId: string, span: Span | undefined): void {
      if (underWay.size >= paymentsMax) return;
      const paid = pay
        .chargeById(paymentId, span)
        .catch(onError)
        .finally(() => underWay.delete(paid));
      underWay.add(paid);
    },
    /** Each takes a few seconds at most; see the provider's time limits. */
    ended: () => Promise.all(underWay),
  };
}
