import { CallFailure, call, callPatiently } from './call.js';
import type { Fields } from './fields.js';

/** The calls that the verdict needs, for the operator and for anyone. */
export interface Shop {
  createProduct(name: string): Promise<number>;
  createSale(sale: NewSale): Promise<number>;
  endSale(saleId: number): Promise<void>;
  stock(productId: number): Promise<Stock>;
  orders(saleId: number, after: string | null): Promise<OrderPage>;
  /** Null if the engine has no audit. */
  audit(): Promise<Audit | null>;
}

interface NewSale {
  readonly productId: number;
  readonly allocation: number;
  readonly perUserLimit: number;
  /** Defaults to the engine's own: 15 minutes. */
  readonly holdTtlSeconds?: number;
}

/** Units of a sale. `saleId` is null while the product has no sale. */
export interface Stock {
  readonly saleId: number | null;
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
  readonly allocation: number;
  readonly state: string;
}

export interface ListedOrder {
  readonly id: string;
  readonly shopperId: string;
  readonly quantity: number;
  readonly status: string;
  /** Why the order ended, if the status does not say; otherwise null. */
  readonly reason: string | null;
}

interface OrderPage {
  readonly orders: readonly ListedOrder[];
  readonly next: string | null;
}

interface Audit {
  readonly ok: boolean;
  readonly violated: readonly string[];
}

export interface ShopOptions {
  readonly origin: string;
  /** Null if only the public calls are used. */
  readonly operatorToken: string | null;
  /** How long to retry a call while the server does not answer. */
  readonly patienceMs: number;
}

const ORDERS_A_PAGE = 10_000;
const PRICE_MINOR = 4_900;
const SALE_OPEN_MS = 24 * 60 * 60 * 1000;
// The sale must have started by the database's clock too, which may be behind this one.
const SALE_STARTED_MS = 60_000;

export function createShop({ origin, operatorToken, patienceMs }: ShopOptions): Shop {
  const token = operatorToken ?? undefined;
  const create = async (path: string, body: object) =>
    (await call(origin, { method: 'POST', path, token, body })).integer('id');
  const ask = (path: string) => callPatiently(origin, { method: 'GET', path, token }, patienceMs);

  return {
    createProduct: name => create('/api/admin/products', { name, priceMinor: PRICE_MINOR, currency: 'EUR' }),
    createSale: sale =>
      create('/api/admin/sales', {
        ...sale,
        startsAt: new Date(Date.now() - SALE_STARTED_MS).toISOString(),
        endsAt: new Date(Date.now() + SALE_OPEN_MS).toISOString(),
      }),
    async endSale(saleId) {
      await call(origin, { method: 'POST', path: `/api/admin/sales/${saleId}/end`, token });
    },
    async stock(productId) {
      return readStock(await ask(`/api/stock/${productId}`));
    },
    async orders(saleId, after) {
      const from = after === null ? '' : `&after=${encodeURIComponent(after)}`;
      return readOrders(await ask(`/api/admin/orders?saleId=${saleId}&limit=${ORDERS_A_PAGE}${from}`));
    },
    audit: () => readAudit(ask),
  };
}

function readStock(fields: Fields): Stock {
  return {
    saleId: fields.integerOrNull('saleId'),
    available: fields.integer('stock'),
    reserved: fields.integer('reserved'),
    sold: fields.integer('sold'),
    allocation: fields.integer('allocation'),
    state: fields.string('state'),
  };
}

function readOrders(fields: Fields): OrderPage {
  const orders = fields.objects('orders').map(order => ({
    id: order.string('id'),
    shopperId: order.string('shopperId'),
    quantity: order.integer('quantity'),
    status: order.string('status'),
    reason: order.stringOrNull('reason'),
  }));
  return { orders, next: fields.stringOrNull('next') };
}

async function readAudit(ask: (path: string) => Promise<Fields>): Promise<Audit | null> {
  try {
    const fields = await ask('/api/admin/audit');
    const violated = fields
      .objects('invariants')
      .filter(invariant => invariant.integer('violations') > 0)
      .map(invariant => `${invariant.string('title')} (${invariant.integer('violations')})`);
    return { ok: fields.boolean('ok'), violated };
  } catch (error) {
    if (error instanceof CallFailure && error.status === 404) return null;
    throw error;
  }
}
