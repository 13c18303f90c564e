import { Webhook as Verifier } from 'standardwebhooks';
import { z } from 'zod';
import type { TestApi } from './api.js';
import type { Webhook } from './webhook-receiver.js';

const deliverySchema = z.looseObject({
  id: z.number(),
  eventId: z.string(),
  type: z.string(),
  status: z.string(),
  tries: z.number(),
  lastStatus: z.number().nullable(),
  lastError: z.string().nullable(),
});
const endpointSchema = z.looseObject({
  id: z.number(),
  status: z.string(),
  disabledReason: z.string().nullable(),
});
const createdSchema = endpointSchema.extend({ secret: z.string() });
const deliveriesSchema = z.object({ deliveries: z.array(deliverySchema) });
const eventSchema = z.object({
  type: z.string(),
  timestamp: z.iso.datetime(),
  data: z.looseObject({ orderId: z.string().optional(), saleId: z.number().optional() }),
});

const allEvents = ['order.confirmed', 'order.refunded', 'sale.opened', 'sale.sold_out'];

/** Seconds instead of hours, and receivers on this machine. */
export const quickly = {
  WEBHOOK_ALLOW_NETWORKS: '127.0.0.0/8',
  WEBHOOK_RETRY_BASE_MS: '20',
  WEBHOOK_RETRY_MAX_MS: '200',
  WEBHOOK_TRIES_MAX: '100',
  WEBHOOK_TIMEOUT_MS: '1000',
};

export async function createWebhook(api: TestApi, url: string, events = allEvents) {
  const { status, body } = await api.asOperator('POST', '/api/admin/webhooks', { url, events });
  if (status !== 201) throw new Error(`the webhook was answered ${status}: ${JSON.stringify(body)}`);
  return createdSchema.parse(body);
}

export async function readWebhook(api: TestApi, id: number) {
  return endpointSchema.parse((await api.asOperator('GET', `/api/admin/webhooks/${id}`)).body);
}

export async function deliveriesOf(api: TestApi, id: number, query = 'limit=1000') {
  const { body } = await api.asOperator('GET', `/api/admin/webhooks/${id}/deliveries?${query}`);
  return deliveriesSchema.parse(body).deliveries;
}

/** @throws unless the reference library of Standard Webhooks accepts it. */
export function verify(secret: string, { rawBody, headers }: Webhook) {
  const named = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  return eventSchema.parse(new Verifier(secret).verify(rawBody.toString('utf8'), named));
}

export function idOf({ headers }: Webhook): string {
  return String(headers['webhook-id']);
}
