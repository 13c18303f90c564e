import type { Accepted, Api, Bought, Checkout, Held, Order, Purchase, QueuedOrder } from './api.js';
import { type Answered, type Outcome, outcomeOf } from './outcome.js';
import { type PersistOptions, persist } from './persist.js';
import { type WaitOptions, type WaitOutcome, waitForOrder } from './wait-for-order.js';

type BuyOptions = PersistOptions & {
  /** Names the intent: keep it until the outcome is final. By default one is generated for the tries of this call. */
  key?: string;
};

/** Buys safely over a network: one key for all tries, bounded retries, outcomes as values. */
export type Buyer = {
  /** Decided at once. With `code`, buys the units that a checkout holds. */
  purchase(body: Purchase, options?: BuyOptions): Promise<Outcome<Bought>>;
  /** Holds units behind a code. */
  checkout(body: Checkout, options?: BuyOptions): Promise<Outcome<Held>>;
  /** Queues the order; `waitForOrder` returns its outcome. */
  order(body: QueuedOrder, options?: BuyOptions): Promise<Outcome<Accepted>>;
  cancel(orderId: string, options?: PersistOptions & { userId?: string }): Promise<Outcome<Order>>;
  /** Polls the order until it has ended or the time is up. */
  waitForOrder(orderId: string, options?: WaitOptions): Promise<WaitOutcome>;
};

export type BuyerOptions = {
  /**
   * Called once if an answer is 401. Returns true if the shopper is signed in now and the request may be sent again.
   */
  signIn?: () => Promise<boolean>;
};

// The time that a purchase may take on the server, plus the round trip on a poor connection.
const timeoutMs = 15_000;

export function createBuyer(api: Api, { signIn = async () => false }: BuyerOptions = {}): Buyer {
  async function tryOnce<Data>(send: () => Promise<Answered<Data>>): Promise<Outcome<Data>> {
    try {
      const answered = await send();
      return outcomeOf(answered.response.status === 401 && (await signIn()) ? await send() : answered);
    } catch (cause) {
      return { kind: 'lost', cause };
    }
  }

  function sendBody<Body, Data>(
    post: (request: ReturnType<typeof requestOf<Body>>) => Promise<Answered<Data>>,
  ) {
    return (body: Body, { key = newKey(), ...options }: BuyOptions = {}) =>
      persist(() => tryOnce(() => post(requestOf(key, body, options.signal))), options);
  }

  return {
    purchase: sendBody<Purchase, Bought>(request => api.POST('/api/purchase', request)),
    checkout: sendBody<Checkout, Held>(request => api.POST('/api/checkout', request)),
    order: sendBody<QueuedOrder, Accepted>(request => api.POST('/api/orders', request)),
    cancel: (orderId, { userId, ...options } = {}) =>
      persist(
        () =>
          tryOnce(() =>
            api.DELETE('/api/orders/{id}', {
              params: { path: { id: orderId }, ...headerOf(userId) },
              signal: within(timeoutMs, options.signal),
            }),
          ),
        options,
      ),
    waitForOrder: (orderId, options = {}) =>
      waitForOrder(
        signal =>
          tryOnce(() =>
            api.GET('/api/orders/{id}', {
              params: { path: { id: orderId }, ...headerOf(options.userId) },
              signal: within(timeoutMs, signal),
            }),
          ),
        options,
      ),
  };
}

function requestOf<Body>(key: string, body: Body, signal: AbortSignal | undefined) {
  return { params: { header: { 'idempotency-key': key } }, body, signal: within(timeoutMs, signal) };
}

function headerOf(userId: string | undefined) {
  return userId === undefined ? {} : { header: { 'x-user-id': userId } };
}

/** Older browsers lack `any`. They rely on the timeout alone. */
function within(ms: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(ms);
  return signal && 'any' in AbortSignal ? AbortSignal.any([timeout, signal]) : timeout;
}

/**
 * A key for a new intent. `crypto.randomUUID` exists only on https and localhost, and a shop on a local network has
 * neither.
 */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
}
