import type { FastifyReply, FastifyRequest } from 'fastify';
import { countsByDigest, type DigestsOf } from '../admission/digests.js';
import type { Gate, GateRefusal } from '../admission/gate/gate.js';
import { asksForProof, type ProofRefusal, type Proofs, type Shown } from '../admission/proofs/proofs.js';
import type { SaleRoom } from '../admission/sale-room.js';
import type { Calendar } from '../catalog/calendar.js';
import type { Product } from '../catalog/products.js';
import type { Sale } from '../catalog/sales.js';
import type { Acceptance } from '../ledger/accept.js';
import type { Attempt } from '../ledger/attempt-buffer.js';
import type { Attempts } from '../ledger/attempts.js';
import type { Decision, PurchaseRequest } from '../ledger/decide.js';
import type { Patience, Undecided } from '../orders/lanes.js';
import { orderIdOf } from '../orders/order-id.js';
import type { FindReplay } from '../orders/replay.js';
import type { Payments } from '../payments/resilient.js';
import type { Faults } from '../platform/faults.js';
import type { AdmitPurchase } from './admit-purchase.js';
import { type Identity, shopperOf } from './identity/identity.js';
import { checkMayState, statedBy } from './limit-keys.js';
import { sendProblem } from './problem.js';
import type { ProblemSlug } from './problems.js';

export type EntranceParts = {
  identity: Identity;
  admitPurchase: AdmitPurchase;
  calendar: Calendar;
  gate: Gate;
  saleRoom: SaleRoom;
  proofs: Proofs;
  digestsOf: DigestsOf;
  findReplay: FindReplay;
  attempts: Attempts;
  faults: Faults;
  payments: Pick<Payments, 'needsMethod'>;
};

export type EntranceOptions = {
  entrance: NonNullable<PurchaseRequest['entrance']>;
  /** Joins the sale's open batch. */
  join: (saleId: number, purchase: PurchaseRequest, patience: Patience) => Promise<Outcome>;
};

type BuyBody = {
  productId: number;
  /** One, where it is not said. */
  quantity?: number | undefined;
  userId?: string | undefined;
  paymentMethod?: string | undefined;
  paymentFingerprint?: string | undefined;
  addressKey?: string | undefined;
  challenge?: string | undefined;
  token?: string | undefined;
};

type GateRequest = { shopperId: string; quantity: number; mayBeRetry: boolean };
type Outcome = Decision | Acceptance | Undecided;
type Granted = Extract<Outcome, { order: unknown }>;
/** What the sale wants to be shown, and was not. */
type Missing = ProofRefusal | 'limit-key-required' | 'payment-method-required';
export type Refused = Exclude<Outcome, { order: unknown }>['outcome'] | Missing;

/** A request that has an order, new or from an earlier try of the same intent. */
export type Entered = {
  granted: Granted;
  product: Product;
  orderId: string;
  attempt: Omit<Attempt, 'outcome'>;
};

// The gate is advice, and advice that comes later than this is not waited for.
const gatePatienceMs = 50;

/** @returns undefined where it was refused, and the refusal answered. */
export type Enter = (
  request: FastifyRequest,
  body: BuyBody,
  reply: FastifyReply,
) => Promise<Entered | undefined>;

/**
 * What the three ways to buy share: identify, find the sale, ask the gate, join the batch, keep the attempt, answer a
 * refusal.
 */
export function createEntrance(parts: EntranceParts, { entrance, join }: EntranceOptions): Enter {
  const { identity, admitPurchase, calendar, gate, saleRoom, proofs } = parts;
  const { digestsOf, findReplay, attempts, faults } = parts;
  const needsMethod = parts.payments.needsMethod && entrance !== 'checkout';

  // A refusal from memory must not hide the order that the first try of this key has made. Nor must a limit: who asks again
  // after an order that there is has not bought more often.
  async function replayOr<R extends GateRefusal | Missing | 'rate-limited'>(
    refusal: R,
    purchase: PurchaseRequest,
    productId: number,
  ) {
    return (await findReplay(purchase, productId)) ?? { outcome: refusal };
  }

  // Without the gate everything goes to the ledger, which has the last word in any case.
  function askGate(sale: Sale | undefined, request: GateRequest, isGateDown: boolean) {
    if (!sale) return 'sale-not-open';
    return isGateDown ? undefined : gate.check(sale, request.shopperId, request.quantity, request.mayBeRetry);
  }

  // A sale that asks for nothing, as most do, makes no promise.
  function askProof(sale: Sale | undefined, shown: Shown) {
    return sale && asksForProof(sale) ? proofs.refusalOf(sale, shown) : undefined;
  }

  return async (request, body, reply) => {
    const { productId, quantity = 1, userId, paymentMethod, challenge, token } = body;
    const receivedAtMs = performance.now();
    const caller = identity.callerOf(request);
    const shopperId = shopperOf(caller, request, userId);
    checkMayState(caller, body);
    const key = headerOf(request, 'idempotency-key');
    const admitted = admitPurchase(request, reply, caller, shopperId);
    const barred = admitted instanceof Promise ? await admitted : admitted;
    if (barred && (barred === 'overloaded' || key === undefined)) return refuse(reply, barred);
    const offer = calendar.peek(productId) ?? (await calendar.offerOf(productId));
    if (!offer) return refuse(reply, barred ?? 'product-not-found');

    const { product, sale } = offer;
    const trouble = faults.inject('gate', gatePatienceMs);
    const isGateDown = trouble !== undefined && (await hasFailed(trouble));
    const advice = barred
      ? undefined
      : askGate(sale, { shopperId, quantity, mayBeRetry: key !== undefined }, isGateDown);
    // No promise where memory has answered.
    const refusal = advice instanceof Promise ? await advice : advice;
    const saleId = sale?.saleId ?? null;
    // What most of a million shoppers get: no id, no promise, no query.
    if (refusal && key === undefined) {
      attempts.record({
        ...{ productId, saleId, shopperId, quantity, receivedAtMs },
        ...{ orderId: null, outcome: refusal },
      });
      return refuse(reply, refusal);
    }
    const orderId = orderIdOf(shopperId, key);
    const attempt = { productId, saleId, orderId, shopperId, quantity, receivedAtMs };
    const isBarred = barred !== undefined || refusal !== undefined;
    // An order for the queue waits neither for the sale's lock nor for who holds it.
    if (sale && !isBarred && saleRoom.refuses(sale.saleId, entrance === 'queued')) {
      return refuse(reply, 'overloaded');
    }
    const digests =
      sale && !isBarred && countsByDigest(sale)
        ? digestsOf(sale, statedBy(request, caller, body))
        : undefined;
    const lacksKey = digests === 'limit-key-required';
    const purchase = {
      ...{ orderId, shopperId, quantity, receivedAtMs, entrance, paymentMethod, span: request.span },
      digests: lacksKey ? undefined : digests,
    };
    const lacksMethod = needsMethod && paymentMethod === undefined && !isBarred && isPaid(sale);
    const unsaid = lacksKey ? digests : lacksMethod ? 'payment-method-required' : undefined;
    const asked = isBarred || unsaid ? undefined : askProof(sale, { shopperId, orderId, challenge, token });
    const missing = unsaid ?? (asked && (await asked));
    // Nothing can have been made under an id that was drawn just now.
    if (missing && key === undefined) {
      attempts.record({ ...attempt, outcome: missing });
      return refuse(reply, missing);
    }
    // The next window of a product may be the one that counts now, and the first try be under way in the last.
    const last = refusal === 'sale-not-open' ? calendar.endedLately(productId) : undefined;
    const counts = last ?? (isBarred || missing ? undefined : sale);
    const decided = await (!counts
      ? replayOr(barred ?? refusal ?? missing ?? 'sale-not-open', purchase, productId)
      : join(counts.saleId, purchase, patienceOf(request, receivedAtMs)));
    request.decision = { orderId, receivedAtMs, decidedAtMs: performance.now() };
    // Not an attempt: it was counted, and costs nothing more.
    if (decided.outcome === 'rate-limited') return refuse(reply, 'rate-limited');
    if (barred) reply.removeHeader('retry-after');
    if (sale && !refusal && decided.outcome === 'limit-reached') gate.limitReached(sale.saleId, shopperId);
    if (!isWrittenWithOrder[decided.outcome]) {
      attempts.record({ ...attempt, outcome: decided.outcome });
    }
    if ('order' in decided) return { granted: decided, product, orderId, attempt };
    return refuse(reply, slugOf[decided.outcome], orderId);
  };
}

// The ledger writes these attempts in the transaction that makes the order.
const isWrittenWithOrder: Partial<Record<Outcome['outcome'] | Missing, true>> = {
  confirmed: true,
  reserved: true,
  queued: true,
};

const slugOf: Record<Refused, ProblemSlug> = {
  'sale-not-open': 'sale-not-open',
  'limit-reached': 'limit-reached',
  'limit-key-required': 'limit-key-required',
  'payment-limit-reached': 'payment-limit-reached',
  'address-limit-reached': 'address-limit-reached',
  'decline-limit-reached': 'decline-limit-reached',
  'payment-method-required': 'payment-method-required',
  'sold-out': 'sold-out',
  'key-reused': 'idempotency-key-reused',
  'token-required': 'token-required',
  'challenge-required': 'challenge-required',
  'challenge-failed': 'challenge-failed',
  overloaded: 'overloaded',
  undecided: 'undecided',
  unknown: 'outcome-unknown',
  // For orders that a worker brings; a shopper's request never meets them.
  'sale-paused': 'sale-not-open',
  'order-not-found': 'order-not-found',
};

function isPaid(sale: Sale | undefined): boolean {
  return sale?.payment === 'required' && sale.priceMinor > 0;
}

function patienceOf(request: FastifyRequest, receivedAtMs: number): Patience {
  const seconds = headerOf(request, 'request-timeout');
  return {
    connection: request.raw.socket,
    deadlineAtMs: seconds === undefined ? undefined : receivedAtMs + Number(seconds) * 1000,
  };
}

function refuse(reply: FastifyReply, slug: ProblemSlug, orderId?: string): undefined {
  sendProblem(reply, slug, undefined, slug === 'outcome-unknown' ? { orderId } : undefined);
}

function hasFailed(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => false,
    () => true,
  );
}

export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
