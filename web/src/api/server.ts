import 'server-only';
import { createApi } from '@doorbuster/client';
import type { Drop, Stock } from './client';

/** What pages show to everybody, read by the web process. Who is asking plays no part, so that all share one reading. */

const { API_URL = 'http://127.0.0.1:3000', WEB_KEY } = process.env;

// Its address stands for everybody who looks at pages; with the key the limits per address do not count for it.
const api = createApi({ baseUrl: API_URL, headers: WEB_KEY ? { 'x-web-key': WEB_KEY } : {} });

// Everybody arrives in the same second; the browser takes over with its own reading at once.
const keptMs = 500;
const keptMax = 200;
const timeoutMs = 3000;

export type Catalogue = { drops: Drop[]; stocks: Map<number, Stock>; now: string };

/** The API could not be asked; the page's error boundary offers another try. */
class ShopUnreachable extends Error {
  constructor(status: number) {
    super(`the API answered ${status}`);
  }
}

export const readCatalogue = shared(async (): Promise<Catalogue> => {
  const { data, response } = await api.GET('/api/products', {
    params: { query: { limit: '50' } },
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!data) throw new ShopUnreachable(response.status);
  const drops = data.products.filter(({ sale }) => sale !== null);
  const stocks = await Promise.all(drops.map(({ id }) => readStock(String(id))));
  const known = stocks.flatMap((stock): [number, Stock][] => (stock ? [[stock.productId, stock]] : []));
  return { drops, stocks: new Map(known), now: data.now };
});

/** @returns undefined where there is no such product. */
export const readDrop = shared(async (id: string): Promise<Drop | undefined> => {
  const { data, response } = await api.GET('/api/products/{id}', {
    params: { path: { id } },
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (data || response.status === 404 || response.status === 400) return data;
  throw new ShopUnreachable(response.status);
});

/** @returns undefined where the product has no sale, or the stock can not be read now: the browser asks again. */
export const readStock = shared(async (id: string): Promise<Stock | undefined> => {
  const { data } = await api.GET('/api/stock/{productId}', {
    params: { path: { productId: id } },
    signal: AbortSignal.timeout(timeoutMs),
  });
  return data;
});

/** Everybody who asks within half a second gets the same answer, or the same failure. */
function shared<Value>(read: (key: string) => Promise<Value>): (key?: string) => Promise<Value> {
  const kept = new Map<string, { value: Promise<Value>; untilMs: number }>();
  return (key = '') => {
    const known = kept.get(key);
    if (known && performance.now() < known.untilMs) return known.value;
    if (kept.size >= keptMax) kept.clear();
    const value = read(key);
    kept.set(key, { value, untilMs: performance.now() + keptMs });
    return value;
  };
}
