import { createApi } from '@doorbuster/client';

export type { Attempt, Drop, Order, Sale, Stock } from '@doorbuster/client';

/** The shop's API as the browser sees it: the same origin, the shopper in a cookie that no script can read. */
export const api = createApi({ baseUrl: '', credentials: 'same-origin' });
