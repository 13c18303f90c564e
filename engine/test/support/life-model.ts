// The life of orders as docs/outcomes.md and docs/api.md tell it, one thing after the other and without a counter: stock
// and allowances are what the orders add up to.
export type ModelSale = { allocation: number; limit: number; isPaid: boolean };
export type Ask = { orderId: string; sale: number; shopper: string; quantity: number };
export type Entrance = 'direct' | 'checkout' | 'queued';

type Order = Ask & {
  entrance: Entrance;
  status: string;
  reason: string | null;
  isLapsed: boolean;
  buyingKey: string | null;
};
type Payment = { order: Order; status: string; reason: string | null };
type Letter = { order: Order; source: LetterSource; status: string };

export const letterSources = ['queue', 'payment', 'refund'] as const;
export type LetterSource = (typeof letterSources)[number];
export const paymentWords = ['captured', 'wrong-amount', 'declined', 'payment-canceled', 'refunded'] as const;
export type PaymentWord = (typeof paymentWords)[number];

export type Life = {
  sales: (ModelSale & { status: string })[];
  orders: Map<string, Order>;
  payments: Payment[];
  letters: Letter[];
  /** Declined payments of a shopper in a sale. */
  declines: Map<string, number>;
};

export function createLife(terms: readonly ModelSale[]): Life {
  const sales = terms.map(sale => ({ ...sale, status: 'active' }));
  return { sales, orders: new Map(), payments: [], letters: [], declines: new Map() };
}

/** What a look into the database shall find. */
export function stateOf(life: Life) {
  return {
    stock: life.sales.map((_, sale) => ({
      available: available(life, sale),
      reserved: unitsOf(life, sale, ['RESERVED']),
      sold: unitsOf(life, sale, ['CONFIRMED']),
    })),
    orders: Object.fromEntries(
      [...life.orders].map(([id, { status, reason }]) => [id, `${status} ${reason}`]),
    ),
    payments: life.payments.map(({ status }) => status),
    letters: life.letters.map(({ status }) => status),
  };
}

function move(order: Order, status: string, reason: string | null = null): void {
  Object.assign(order, { status, reason });
}

function startPayment(life: Life, order: Order): string {
  return `pay ${life.payments.push({ order, status: 'PENDING', reason: null }) - 1}`;
}

/** Why it is not granted with what is there now; undefined if it is. */
function refusalOf(life: Life, { sale, shopper, quantity }: Ask): string | undefined {
  const { limit } = at(life.sales, sale);
  if (quantity > limit) return 'limit-reached';
  if (quantity > available(life, sale)) return 'sold-out';
  return unitsOf(life, sale, live, shopper) + quantity > limit ? 'limit-reached' : undefined;
}

function isOutOfTries(life: Life, { sale, shopper }: Ask): boolean {
  return (life.declines.get(`${sale} ${shopper}`) ?? 0) >= declinesMax && at(life.sales, sale).isPaid;
}

function isSame(order: Order, ask: Ask, entrance: Entrance): boolean {
  return order.sale === ask.sale && order.quantity === ask.quantity && order.entrance === entrance;
}

function create(life: Life, ask: Ask, entrance: Entrance, status: string): Order {
  const order = { ...ask, entrance, status, reason: null, isLapsed: false, buyingKey: null };
  life.orders.set(ask.orderId, order);
  return order;
}

export function buy(life: Life, ask: Ask, entrance: Entrance): string {
  const known = life.orders.get(ask.orderId);
  if (known) return isSame(known, ask, entrance) ? 'replayed' : 'key-reused';
  if (saleOf(life, ask).status !== 'active') return 'sale-not-open';
  const refusal = refusalOf(life, ask);
  if (refusal) return refusal;
  if (isOutOfTries(life, ask)) return 'decline-limit-reached';
  if (entrance === 'checkout') return create(life, ask, entrance, 'RESERVED') && 'reserved';
  if (saleOf(life, ask).isPaid) return startPayment(life, create(life, ask, entrance, 'RESERVED'));
  return create(life, ask, entrance, 'CONFIRMED') && 'confirmed';
}

export function accept(life: Life, ask: Ask): string {
  const known = life.orders.get(ask.orderId);
  if (known) return isSame(known, ask, 'queued') ? 'replayed' : 'key-reused';
  if (saleOf(life, ask).status !== 'active') return 'sale-not-open';
  if (ask.quantity > saleOf(life, ask).limit) return 'limit-reached';
  return create(life, ask, 'queued', 'QUEUED') && 'queued';
}

export function decideQueued(life: Life, orderId: string): string {
  const order = life.orders.get(orderId);
  if (!order) return 'order-not-found';
  if (order.entrance !== 'queued') return 'key-reused';
  if (order.status !== 'QUEUED') return 'replayed';
  const { status, isPaid } = saleOf(life, order);
  if (status === 'paused') return 'sale-paused';
  const refusal =
    status === 'ended'
      ? 'sale-not-open'
      : (refusalOf(life, order) ?? (isOutOfTries(life, order) ? 'decline-limit-reached' : undefined));
  move(order, refusal ? 'REJECTED' : isPaid ? 'RESERVED' : 'CONFIRMED', refusal);
  if (refusal) return refusal;
  order.isLapsed = false;
  return isPaid ? startPayment(life, order) : 'confirmed';
}

export function redeem(life: Life, orderId: string, shopper: string, key: string): string {
  const order = life.orders.get(orderId);
  if (!order || order.shopper !== shopper || order.entrance !== 'checkout') return 'order-not-found';
  if (order.status === 'CONFIRMED') return order.buyingKey === key ? 'replayed' : 'code-used';
  if (order.status === 'EXPIRED') return 'code-expired';
  if (order.status !== 'RESERVED') return 'order-ended';
  const pending = life.payments.findIndex(each => each.order === order && each.status === 'PENDING');
  if (pending >= 0) return `pay ${pending}`;
  if (order.isLapsed) return 'code-expired';
  if (isOutOfTries(life, order)) return 'decline-limit-reached';
  order.buyingKey = key;
  if (saleOf(life, order).isPaid) return startPayment(life, order);
  move(order, 'CONFIRMED');
  return 'confirmed';
}

export function cancel(life: Life, orderId: string, shopper: string): string {
  const order = life.orders.get(orderId);
  if (!order || order.shopper !== shopper) return 'order-not-found';
  if (order.status === 'CANCELLED') return 'replayed';
  if (order.status === 'CONFIRMED') return 'order-confirmed';
  if (order.status !== 'RESERVED' && order.status !== 'QUEUED') return 'order-ended';
  move(order, 'CANCELLED', 'cancelled-by-shopper');
  return 'cancelled';
}

function capture(life: Life, payment: Payment, isWholeAmount: boolean): string {
  if (moneyIsHere.includes(payment.status)) return 'replayed';
  const { order } = payment;
  payment.reason = isWholeAmount ? whyMoneyGoesBack(life, order) : 'wrong-amount';
  if (payment.reason === null || payment.reason === 'late-payment') {
    payment.status = 'CAPTURED';
    move(order, 'CONFIRMED', payment.reason);
    return 'confirmed';
  }
  payment.status = 'REFUND_DUE';
  if (order.status === 'RESERVED') move(order, 'CANCELLED', payment.reason);
  return 'refund-due';
}

function whyMoneyGoesBack(life: Life, order: Order): string | null {
  if (order.status === 'RESERVED') return null;
  if (order.status !== 'EXPIRED') return `paid-after-${order.status.toLowerCase()}`;
  const refusal = refusalOf(life, order);
  return refusal === undefined ? 'late-payment' : `late-payment-${refusal}`;
}

export function hear(life: Life, number: number, word: PaymentWord): string {
  const payment = at(life.payments, number);
  const { order } = payment;
  if (word === 'captured' || word === 'wrong-amount') return capture(life, payment, word === 'captured');
  if (word === 'refunded') {
    if (payment.status !== 'REFUND_DUE') return 'replayed';
    payment.status = 'REFUNDED';
    if (['EXPIRED', 'CANCELLED', 'FAILED'].includes(order.status)) move(order, 'REFUNDED', payment.reason);
    return 'refunded';
  }
  // Whoever hears a decline again is told of it, though it has no second effect.
  if (payment.status === 'DECLINED' && word === 'declined') return 'declined';
  if (payment.status !== 'PENDING') return 'replayed';
  payment.status = word === 'declined' ? 'DECLINED' : 'CANCELLED';
  if (word === 'declined') countDecline(life, order);
  const reason = word === 'declined' ? 'payment-declined' : 'payment-canceled';
  // A code stays held for another card.
  if (order.status === 'RESERVED' && order.entrance !== 'checkout') move(order, 'CANCELLED', reason);
  return word === 'declined' ? 'declined' : 'cancelled';
}

function countDecline({ declines }: Life, { sale, shopper }: Order): void {
  const key = `${sale} ${shopper}`;
  declines.set(key, (declines.get(key) ?? 0) + 1);
}

export function lapse(life: Life, orderId: string): void {
  const order = life.orders.get(orderId);
  if (order?.status === 'RESERVED') order.isLapsed = true;
}

export function expire(life: Life, sale: number): string {
  const held = [...life.orders.values()].filter(order => order.sale === sale && order.status === 'RESERVED');
  const lapsed = held.filter(({ isLapsed }) => isLapsed);
  for (const order of lapsed) move(order, 'EXPIRED', 'hold-lapsed');
  return String(lapsed.length);
}

export function addLetter(life: Life, orderId: string, source: LetterSource): void {
  const order = life.orders.get(orderId);
  const isOpen = life.letters.some(
    letter => letter.order === order && letter.source === source && openLetters.includes(letter.status),
  );
  if (order && !isOpen) life.letters.push({ order, source, status: 'NEW' });
}

export function compensate(life: Life): string {
  const letter = life.letters.find(({ status }) => status === 'NEW');
  if (!letter) return 'none';
  const { order, source } = letter;
  const failsOrder = source !== 'refund' && ['QUEUED', 'RESERVED'].includes(order.status);
  letter.status = failsOrder || source === 'refund' ? 'COMPENSATED' : 'DISCARDED';
  if (failsOrder) move(order, 'FAILED', `${source}-failed`);
  return 'compensated';
}

export function resolve(life: Life, number: number, how: 'replay' | 'discard'): string {
  const letter = at(life.letters, number);
  if (letter.status === 'NEW') return 'not-compensated';
  if (letter.status !== 'COMPENSATED') return 'already-resolved';
  if (how === 'replay' && letter.source !== 'refund') {
    const { order } = letter;
    const isUnsettled = life.payments.some(
      each => each.order === order && ['PENDING', 'CAPTURED', 'REFUND_DUE'].includes(each.status),
    );
    if (order.status !== 'FAILED' || order.entrance !== 'queued' || isUnsettled) return 'not-replayable';
    move(order, 'QUEUED', 'replayed-by-operator');
  }
  letter.status = how === 'replay' ? 'REPLAYED' : 'DISCARDED';
  return how === 'replay' ? 'replayed' : 'discarded';
}

export function setStatus(life: Life, sale: number, to: string): string {
  if (at(life.sales, sale).status === 'ended' && to !== 'ended') return 'sale-ended';
  at(life.sales, sale).status = to;
  return 'changed';
}

function unitsOf(life: Life, sale: number, statuses: readonly string[], shopper?: string): number {
  return [...life.orders.values()]
    .filter(order => order.sale === sale && statuses.includes(order.status))
    .filter(order => shopper === undefined || order.shopper === shopper)
    .reduce((units, { quantity }) => units + quantity, 0);
}

function available(life: Life, sale: number): number {
  return at(life.sales, sale).allocation - unitsOf(life, sale, live);
}

function saleOf(life: Life, { sale }: { sale: number }) {
  return at(life.sales, sale);
}

const declinesMax = 5;
const live = ['RESERVED', 'CONFIRMED'];
const moneyIsHere = ['CAPTURED', 'REFUND_DUE', 'REFUNDED'];
const openLetters = ['NEW', 'COMPENSATED'];

function at<T>(list: readonly T[], position: number): T {
  const item = list[position];
  if (item === undefined) throw new Error(`the model has no number ${position}`);
  return item;
}
