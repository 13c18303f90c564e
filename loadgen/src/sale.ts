import { CallFailure, setupFailure } from './contract/call.js';
import type { Shop, Stock } from './contract/shop.js';
import { LoadFailure } from './failure.js';
import type { SaleFigures } from './report.js';
import type { WantedSale } from './scenarios/scenario.js';

/** The sale from which a run buys. */
export interface PreparedSale extends SaleFigures {
  /** The run created the sale and ends it. */
  readonly isOurs: boolean;
}

const OPEN_WITHIN_MS = 10_000;
const POLL_INTERVAL_MS = 50;

/**
 * Creates a product with a sale, or uses the open sale of an existing product, and waits until it has units.
 * @throws LoadFailure `setup` if the engine refuses or the sale does not open.
 */
export async function prepareSale(
  shop: Shop,
  productId: number | null,
  wanted: WantedSale,
  runId: string,
): Promise<PreparedSale> {
  try {
    if (productId !== null) return await takeSale(shop, productId);
    return await makeSale(shop, wanted, runId);
  } catch (error) {
    if (error instanceof LoadFailure) throw error;
    throw setupFailure(error, 'Is the server running at --url, and was it started with this operator token?');
  }
}

async function takeSale(shop: Shop, productId: number): Promise<PreparedSale> {
  const { saleId, available } = await shop.stock(productId);
  if (saleId === null || available === 0) {
    throw new LoadFailure(
      'setup',
      `Product ${productId} has no open sale with units left; leave out --product-id to create one.`,
    );
  }
  return { productId, saleId, unitsAtStart: available, isOurs: false };
}

async function makeSale(shop: Shop, wanted: WantedSale, runId: string): Promise<PreparedSale> {
  const productId = await shop.createProduct(`Load run ${runId}`);
  const saleId = await shop.createSale({ productId, ...wanted });
  const deadlineMs = performance.now() + OPEN_WITHIN_MS;
  for (;;) {
    const stock = await stockIfThere(shop, productId);
    if (stock?.saleId === saleId && stock.available === wanted.allocation) {
      return { productId, saleId, unitsAtStart: wanted.allocation, isOurs: true };
    }
    if (performance.now() > deadlineMs) {
      throw new LoadFailure(
        'setup',
        `Sale ${saleId} of product ${productId} did not open in ${OPEN_WITHIN_MS / 1000} s: ` +
          `${stock === null ? 'it is not listed' : `it is ${stock.state} with ${stock.available} of ${wanted.allocation} units`}.`,
      );
    }
    await new Promise(resolve => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}

/** A server that caches its catalogue may not know a new product yet. */
async function stockIfThere(shop: Shop, productId: number): Promise<Stock | null> {
  try {
    return await shop.stock(productId);
  } catch (error) {
    if (error instanceof CallFailure && error.status === 404) return null;
    throw error;
  }
}
