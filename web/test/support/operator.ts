import { inject } from 'vitest';
import { z } from 'zod';
import { operatorToken } from './shop.js';

export type NewDrop = {
  name?: string;
  imageUrl?: string;
  allocation?: number;
  perUserLimit?: number;
  payment?: 'none' | 'required';
  holdTtlSeconds?: number;
  startsInMs?: number;
  /** What happens to its sale right after it is created. */
  becomes?: 'pause' | 'end';
};

const createdSchema = z.object({ id: z.number() });
const stockSchema = z.object({ stock: z.number(), reserved: z.number(), sold: z.number() });

/** A product with its own sale, open for an hour unless specified otherwise. @returns the product's id. */
export async function createDrop(drop: NewDrop = {}): Promise<number> {
  const { name = 'Test drop', imageUrl, startsInMs = -1000, becomes, ...terms } = drop;
  const { id: productId } = createdSchema.parse(
    await post('/api/admin/products', { name, imageUrl, priceMinor: 4200, currency: 'EUR' }),
  );
  const { id: saleId } = createdSchema.parse(
    await post('/api/admin/sales', {
      productId,
      startsAt: new Date(Date.now() + startsInMs).toISOString(),
      endsAt: new Date(Date.now() + 3_600_000).toISOString(),
      allocation: 20,
      perUserLimit: 5,
      payment: 'none',
      holdTtlSeconds: 900,
      ...terms,
    }),
  );
  if (becomes) await post(`/api/admin/sales/${saleId}/${becomes}`);
  return productId;
}

export async function stockOf(productId: number) {
  const response = await fetch(`${inject('shopUrl')}/api/stock/${productId}`);
  return stockSchema.parse(await response.json());
}

async function post(path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${inject('shopUrl')}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${operatorToken}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${await response.text()}`);
  return response.json();
}
