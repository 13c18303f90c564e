import { z } from 'zod';
import { type Answer, serviceHeaders, type TestApi } from './api.js';

type Intent = { key?: string; quantity?: number; paymentMethod?: string };

/** A shopper who buys over HTTP, through the shop's own server. */
export function createShopper(api: TestApi, userId: string) {
  const buy = (path: string, body: object, { key, ...intent }: Intent = {}) =>
    api.request('POST', path, {
      body: { ...body, ...intent, userId },
      headers: key === undefined ? serviceHeaders : { ...serviceHeaders, 'idempotency-key': key },
    });
  const ask = (method: string, orderId: string) =>
    api.request(method, `/api/orders/${orderId}`, { headers: { ...serviceHeaders, 'x-user-id': userId } });
  return {
    purchase: (productId: number, intent?: Intent) => buy('/api/purchase', { productId }, intent),
    checkout: (productId: number, intent?: Intent) => buy('/api/checkout', { productId }, intent),
    redeem: (code: string, intent?: Intent) => buy('/api/purchase', { code }, intent),
    order: (productId: number, intent?: Intent) => buy('/api/orders', { productId }, intent),
    cancel: (orderId: string) => ask('DELETE', orderId),
    read: (orderId: string) => ask('GET', orderId),
  };
}

const heldSchema = z.looseObject({
  code: z.string(),
  expiresAt: z.iso.datetime(),
  order: z.looseObject({ id: z.uuid(), createdAt: z.iso.datetime() }),
});

/** The order and code of a granted checkout. @throws if it was not granted. */
export function heldBy({ status, body }: Answer) {
  if (status !== 201) throw new Error(`the checkout was answered ${status}: ${JSON.stringify(body)}`);
  const { code, expiresAt, order } = heldSchema.parse(body);
  return { code, expiresAt, orderId: order.id, createdAt: order.createdAt };
}
