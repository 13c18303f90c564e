// A model of the life of orders as docs/outcomes.md and docs/api.md describe it. It handles one event at a time and
// keeps no counters: it adds up stock and allowances from the orders.
export type ModelSale = { allocation: number; limit: number; isPaid: boolean };
export type Ask = { orderId: string; sale: number; shopper: string; quantity: number };
export type Entrance = 'direct' | 'checkout' | 'queued';

export type Order = Ask & {
  entrance: Entrance;
  status: string;
  reason: string | null;
  isLapsed: boolean;
  buyingKey: string | null;
};
export type Payment = { order: Order; status: string; reason: string | null };
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

/** The state that the database must have. */
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

export function move(order: Order, status: string, reason: string | null = null): void {
  Object.assign(order, { status, reason });
}

export function startPayment(life: Life, order: Order): string {
  return `pay ${life.payments.push({ order, status: 'PENDING', reason: null }) - 1}`;
}

/** Why the request is refused at this moment; undefined if it is granted. */
export function refusalOf(life: Life, { sale, shopper, quantity }: Ask): string | undefined {
  const { limit } = at(life.sales, sale);
  if (quantity > limit) return 'limit-reached';
  if (quantity > available(life, sale)) return 'sold-out';
  return unitsOf(life, sale, live, shopper) + quantity > limit ? 'limit-reached' : undefined;
}

export function saleOf(life: Life, { sale }: { sale: number }) {
  return at(life.sales, sale);
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

export function at<T>(list: readonly T[], position: number): T {
  const item = list[position];
  if (item === undefined) throw new Error(`the model has no item at position ${position}`);
  return item;
}

const live = ['RESERVED', 'CONFIRMED'];
