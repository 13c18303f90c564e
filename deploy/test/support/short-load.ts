export const apiKey = 'deploy-test-api-key-000000';
export const operatorToken = 'deploy-test-operator-000000';

type Call = { method?: string; body?: unknown; token?: string; headers?: Record<string, string> };

/** Products of the demo catalogue: one on sale, and one not yet. */
const [onSale, notYet] = [1, 3];

/**
 * A little of everything in a sale: purchases, refusals, holds, cancellations, queued orders, user ids, an outage, an
 * audit.
 */
export async function bringShortLoad(url: string, round: number): Promise<void> {
  const call = async (path: string, { method = 'POST', body, token = apiKey, headers }: Call = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  };
  const userId = `shopper-${round}`;

  await Promise.all([
    ...Array.from({ length: 20 }, (_, shopper) =>
      call('/api/purchase', { body: { productId: onSale, userId: `${userId}-${shopper}` } }),
    ),
    call('/api/purchase', { body: { productId: notYet, userId } }),
    call('/api/orders', { body: { productId: onSale, userId } }),
    call('/api/users'),
    call('/api/users/batch', { body: { count: 50 } }),
    call('/api/products', { method: 'GET' }),
    call(`/api/stock/${onSale}`, { method: 'GET' }),
  ]);
  const held = await call('/api/checkout', { body: { productId: onSale, userId } });
  const [, orderId = ''] = /"id":"([0-9a-f-]{36})"/.exec(held.text) ?? [];
  await call(`/api/orders/${orderId}`, { method: 'DELETE', headers: { 'x-user-id': userId } });
  // A failing ledger answers 503.
  await call('/api/admin/faults', {
    token: operatorToken,
    body: { place: 'ledger', effect: 'error', forMs: 400 },
  });
  await call('/api/purchase', {
    body: { productId: onSale, userId: `${userId}-late` },
    headers: { 'request-timeout': '0.2' },
  });
  await call('/api/admin/audit', { method: 'GET', token: operatorToken });
}
