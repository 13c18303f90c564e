import type { Shop, Stock } from '../contract/shop.js';

const POLL_INTERVAL_MS = 100;
const UNCHANGED_MS = 500;
const SETTLE_MS_MAX = 15_000;

/**
 * The stock at rest. If requests were given up, the server may still be deciding them, and counters and list would be
 * read at different moments. Waits until the stock has not changed for half a second, within a deadline.
 */
export async function settledStock(shop: Shop, productId: number, mayMove: boolean): Promise<Stock> {
  let stock = await shop.stock(productId);
  if (!mayMove) return stock;
  const deadlineMs = performance.now() + SETTLE_MS_MAX;
  for (let sinceMs = performance.now(); performance.now() - sinceMs < UNCHANGED_MS; ) {
    await new Promise(resolve => setTimeout(resolve, POLL_INTERVAL_MS));
    const now = await shop.stock(productId);
    if (now.available !== stock.available || now.reserved !== stock.reserved) sinceMs = performance.now();
    stock = now;
    if (performance.now() > deadlineMs) return stock;
  }
  return stock;
}
