import {
  type Ask,
  at,
  type Entrance,
  type Life,
  move,
  type Order,
  refusalOf,
  saleOf,
  startPayment,
} from './life.js';

// What shoppers, workers and operators do to orders and sales in the model. Each function returns the outcome that the
// engine must report.

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

export function setStatus(life: Life, sale: number, to: string): string {
  if (at(life.sales, sale).status === 'ended' && to !== 'ended') return 'sale-ended';
  at(life.sales, sale).status = to;
  return 'changed';
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

const declinesMax = 5;
