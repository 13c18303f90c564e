import {
  at,
  type LetterSource,
  type Life,
  move,
  type Order,
  type Payment,
  type PaymentWord,
  refusalOf,
} from './life.js';

// What the provider reports about payments, and what operators and the engine do with dead letters, in the model.

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
  // A repeated decline is reported as declined again, but has no second effect.
  if (payment.status === 'DECLINED' && word === 'declined') return 'declined';
  if (payment.status !== 'PENDING') return 'replayed';
  payment.status = word === 'declined' ? 'DECLINED' : 'CANCELLED';
  if (word === 'declined') countDecline(life, order);
  const reason = word === 'declined' ? 'payment-declined' : 'payment-canceled';
  // The units behind a code stay held, so that the shopper can try another card.
  if (order.status === 'RESERVED' && order.entrance !== 'checkout') move(order, 'CANCELLED', reason);
  return word === 'declined' ? 'declined' : 'cancelled';
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

function countDecline({ declines }: Life, { sale, shopper }: Order): void {
  const key = `${sale} ${shopper}`;
  declines.set(key, (declines.get(key) ?? 0) + 1);
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

const moneyIsHere = ['CAPTURED', 'REFUND_DUE', 'REFUNDED'];
const openLetters = ['NEW', 'COMPENSATED'];
