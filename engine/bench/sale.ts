import { z } from 'zod';
import { credentials, type Server } from './servers.js';

const createdSchema = z.object({ id: z.number() });

/**
 * Creates a product with an open sale of `allocation` units, for a generator that cannot create one. @returns its id.
 */
export async function openSale(server: Server, allocation: number): Promise<number> {
  const product = await post(server, 'products', { name: 'Bench', priceMinor: 1999, currency: 'EUR' });
  const now = Date.now();
  await post(server, 'sales', {
    productId: product.id,
    startsAt: new Date(now - 60_000).toISOString(),
    endsAt: new Date(now + 86_400_000).toISOString(),
    allocation,
    perUserLimit: 10,
  });
  return product.id;
}

/** Creates a product whose only unit is sold. */
export async function soldOutSale(server: Server): Promise<number> {
  const productId = await openSale(server, 1);
  const response = await fetch(`${server.url}/api/purchase`, {
    method: 'POST',
    headers: { authorization: `Bearer ${credentials.API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ productId, userId: 'bench' }),
  });
  if (response.status !== 200) throw new Error(`buying the only unit was answered with ${response.status}`);
  return productId;
}

async function post({ url }: Server, what: string, body: unknown) {
  const response = await fetch(`${url}/api/admin/${what}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${credentials.OPERATOR_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return createdSchema.parse(await response.json());
}
