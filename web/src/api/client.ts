import { createApi } from '@doorbuster/client';

export type { Attempt, Drop, Order, Sale, Stock } from '@doorbuster/client';

// A connection whose other end is gone without a word looks like one that takes its time. Reading takes milliseconds; what
// is asked for is shown as last known until the next try. What buys is given up by the buyer.
const readTimeoutMs = 5000;

/** The shop's API as the browser sees it: the same origin, the shopper in a cookie that no script can read. */
export const api = createApi({
  baseUrl: '',
  credentials: 'same-origin',
  fetch: request =>
    request.method === 'GET'
      ? fetch(request, { signal: AbortSignal.timeout(readTimeoutMs) })
      : fetch(request),
});
