import type { Acceptance } from '../ledger/accept.js';
import type { LateOrder, Written } from '../ledger/accept-late.js';
import type { DecidedBatch } from '../ledger/decide.js';
import { classifyFailure } from '../ledger/failures.js';
import type { OrderRecord } from '../ledger/order-record.js';
import { backoffMs, endsWithin, pause } from '../platform/backoff.js';
import type { DatabaseClock } from '../platform/database-clock.js';
import type { Outage } from '../platform/outage.js';
import type { OrderQueue } from '../queue/queue.js';
import type { OrderRequest } from './accept.js';
import type { DecisionQueue } from './decide.js';
import type { Undecided } from './lanes.js';

/** With what a unit costs, as far as this process knows; the ledger writes what the sale says. */
export type PricedOrder = OrderRequest & { priceMinor: number };

type AcceptBatch<Outcome> = (
  saleId: number,
  requests: readonly PricedOrder[],
) => Promise<DecidedBatch<Outcome>>;

export type QueuedWhileDown = {
  /** Accepts a batch in the ledger, and while that can not be asked in the queue alone. */
  accept: AcceptBatch<Acceptance | Undecided>;
  /** Whether one more would be taken while the database is down. */
  hasRoom(): boolean;
  close(): void;
};

export type QueuedWhileDownOptions = {
  /** Accepts a batch in the ledger. */
  accept: AcceptBatch<Acceptance>;
  /** Outlives this process and the database; see OrderQueue. */
  queue: OrderQueue;
  outage: Outage;
  clock: DatabaseClock;
  /** Writes an order down that was taken here. */
  lateOrders: DecisionQueue<LateOrder, Written>;
  /** Orders taken here that are not in the ledger yet; one more is refused. */
  ordersMax: number;
  /** How long the ledger is waited for before anybody asks whether it is still there. */
  patienceMs: number;
};

type Held = { saleId: number; late: LateOrder; order: OrderRecord };

const writtenAtOnceMax = 500;

/**
 * Takes queued orders while PostgreSQL is down: the queue has the whole order, and confirms it before the shopper hears of
 * it. A worker that gets the message writes the order down before it decides it. So does this process for those that it
 * has taken, as soon as the database answers: then nobody depends on how far the workers are. Whoever comes second finds
 * the order.
 */
export function createQueuedWhileDown(options: QueuedWhileDownOptions): QueuedWhileDown {
  const { accept, queue, outage, clock, lateOrders, ordersMax, patienceMs } = options;
  // In order of arrival. What is being published is here already, so that the bound counts it.
  const held = new Map<string, Held>();
  const closing = new AbortController();
  outage.onOver(() => void writeDown());

  /** A process that only heard of trouble asks before it believes: one lost connection is no outage. */
  async function acceptOrTake(saleId: number, requests: readonly PricedOrder[]) {
    if (outage.isOn()) return take(saleId, requests);
    const accepted = accept(saleId, requests);
    try {
      if ((await endsWithin(accepted, patienceMs)) || !(await outage.suspect())) return await accepted;
    } catch (error) {
      if (classifyFailure(error) === 'permanent' || !(await outage.suspect())) throw error;
    }
    // It may have been committed all the same. The message finds the order then.
    return take(saleId, requests);
  }

  async function take(
    saleId: number,
    requests: readonly PricedOrder[],
  ): Promise<DecidedBatch<Acceptance | Undecided>> {
    const decisions = requests.map(request => admit(saleId, request));
    const taken = requests.filter((_, position) => decisions[position]?.outcome === 'queued');
    try {
      await queue.publish(taken.map(request => messageOf(saleId, request)));
    } catch (error) {
      for (const { orderId } of taken) held.delete(orderId);
      throw error;
    }
    return { decisions };
  }

  function admit(saleId: number, request: PricedOrder): Acceptance | Undecided {
    const { orderId, shopperId, quantity, paymentMethod, digests } = request;
    const known = held.get(orderId);
    if (known) return admitAgain(known, saleId, request);
    if (held.size >= ordersMax) return { outcome: 'overloaded' };
    const receivedAt = new Date(clock.nowMs() - (performance.now() - request.receivedAtMs));
    const order = recordOf(saleId, request, receivedAt);
    const asked = { orderId, shopperId, quantity, paymentMethod, digests };
    const late = { ...asked, receivedAt: receivedAt.toISOString() };
    held.set(orderId, { saleId, late, order });
    return { outcome: 'queued', order };
  }

  function messageOf(saleId: number, { orderId, shopperId, quantity, forceFail = false, span }: PricedOrder) {
    const { receivedAt, paymentMethod, digests } = held.get(orderId)?.late ?? {};
    if (receivedAt === undefined) throw new Error(`order ${orderId} is to be published and is not held`);
    const late = { receivedAt, paymentMethod, digests };
    return { orderId, saleId, shopperId, quantity, forceFail, late, traceparent: span?.traceparent };
  }

  async function writeDown(): Promise<void> {
    for (let failures = 0; held.size > 0 && !outage.isOn() && !closing.signal.aborted; ) {
      if (await writeSomeDown()) failures = 0;
      else if (!(await outage.suspect())) await pause(backoffMs(failures++, 100, 2000), closing.signal);
    }
  }

  /** @returns whether all of them are settled. */
  async function writeSomeDown(): Promise<boolean> {
    const some = [...held.values()].slice(0, writtenAtOnceMax);
    const outcomes = await Promise.all(some.map(({ saleId, late }) => lateOrders.join(saleId, late)));
    for (const [position, { late }] of some.entries()) {
      const outcome = outcomes[position]?.outcome;
      // One that PostgreSQL refuses has been logged; its message is the worker's.
      if (outcome === 'written' || outcome === 'undecided') held.delete(late.orderId);
    }
    return outcomes.every(({ outcome }) => outcome === 'written' || outcome === 'undecided');
  }

  return { accept: acceptOrTake, hasRoom: () => held.size < ordersMax, close: () => closing.abort() };
}

/** The same id again: mostly a retry. Whether a key was used for another product, only the ledger can say. */
function admitAgain(known: Held, saleId: number, { quantity }: PricedOrder): Acceptance | Undecided {
  if (known.late.quantity !== quantity) return { outcome: 'key-reused' };
  return known.saleId === saleId ? { outcome: 'replayed', order: known.order } : { outcome: 'unknown' };
}

function recordOf(saleId: number, { quantity, priceMinor }: PricedOrder, createdAt: Date): OrderRecord {
  const order = { saleId, quantity, totalMinor: quantity * priceMinor, createdAt };
  return { ...order, entrance: 'queued', status: 'QUEUED', reason: null, expiresAt: null, prize: null };
}
