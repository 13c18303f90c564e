import type { Offer } from '../../catalog/calendar.js';
import { phaseOf } from '../../catalog/calendar.js';
import type { Product } from '../../catalog/products.js';
import type { Sale } from '../../catalog/sales.js';
import type { Series } from '../../catalog/series.js';
import type { OrderRecord } from '../../ledger/order-record.js';
import type { Stock } from '../../ledger/stock.js';
import { fractionDigits } from '../../platform/currencies.js';

/** What callers see of the engine's records; docs/api.md has the shapes and names. */
export function orderView(orderId: string, product: Product, order: OrderRecord, remaining: number) {
  return {
    id: orderId,
    productId: product.productId,
    productName: product.name,
    quantity: order.quantity,
    totalPrice: decimalOf(order.totalMinor, order.currency),
    totalPriceMinor: order.totalMinor,
    currency: order.currency,
    remainingStock: remaining,
    createdAt: order.createdAt.toISOString(),
    status: order.status,
    reason: order.reason,
    expiresAt: order.expiresAt?.toISOString() ?? null,
    prize: order.prize,
  };
}

export function productView({ product, sale }: Offer, nowMs: number) {
  const { productId, ...rest } = product;
  return { id: productId, ...rest, sale: sale ? saleView(sale, nowMs) : null };
}

export function saleView(sale: Sale, nowMs: number) {
  const { saleId, startsAt, endsAt, ...rest } = sale;
  return {
    id: saleId,
    ...rest,
    startsAt: startsAt.toISOString(),
    endsAt: endsAt.toISOString(),
    state: phaseOf(sale, nowMs),
  };
}

export function seriesView({ seriesId, createdAt, plannedUntil, ...rest }: Series) {
  return {
    id: seriesId,
    ...rest,
    createdAt: createdAt.toISOString(),
    plannedUntil: plannedUntil.toISOString(),
  };
}

/** `stock` always means the units available. */
export function stockView(sale: Sale, stock: Stock, nowMs: number) {
  const phase = phaseOf(sale, nowMs);
  return {
    success: true as const,
    productId: sale.productId,
    saleId: sale.saleId,
    stock: stock.available,
    reserved: stock.reserved,
    sold: stock.sold,
    allocation: stock.allocation,
    state: phase === 'open' && stock.available === 0 ? ('sold-out' as const) : phase,
    startsAt: sale.startsAt.toISOString(),
    endsAt: sale.endsAt.toISOString(),
    now: new Date(nowMs).toISOString(),
  };
}

/** An amount as the published contracts have it: in major units of the currency, with decimals. */
export function decimalOf(amountMinor: number, currency: string): number {
  return amountMinor / 10 ** fractionDigits(currency);
}
