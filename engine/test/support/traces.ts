import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { z } from 'zod';
import { serviceHeaders } from './api.js';
import { type CollectedSpan, startCollector } from './collector.js';
import { startProxiedSale, untilOrderIs } from './paid-orders.js';
import { startTestRoles } from './roles.js';

/** A client's span, as its header names it. */
export function clientSpan(flags: '00' | '01' = '01') {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
}

/**
 * A queued order that requires payment, on an API and a worker that share only database and queue. Its whole trace
 * is the client's, and each of its batches is linked to it and it to them.
 */
export async function expectOneTrace(system: string, env: Record<string, string>): Promise<void> {
  const collector = await startCollector();
  const settings = { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const shop = await startProxiedSale({}, { roles: ['api'], env: settings });
  const worker = await startTestRoles(shop.databaseUrl, ['worker'], shop.env);
  const client = clientSpan();

  const answer = await shop.api.request('POST', '/api/orders', {
    body: { productId: shop.productId, userId: 'ann' },
    headers: { ...serviceHeaders, traceparent: client.traceparent },
  });
  const orderId = z.uuid().parse(answer.body.order_id);
  await untilOrderIs(shop.pool, orderId, 'CONFIRMED', 60_000);
  await Promise.all([shop.api.drain(), worker.drain()]);

  const request = collector.one('POST /api/orders');
  const sent = collector.one('send orders');
  const processed = collector.one('process orders');
  const paid = collector.one('payment charge');
  const road = [request, sent, processed, paid];
  expect(road.map(({ traceId }) => traceId)).toEqual(road.map(() => client.traceId));
  expect(road.map(({ parentSpanId }) => parentSpanId)).toEqual(
    [client, request, sent, processed].map(({ spanId }) => spanId),
  );
  // SERVER, PRODUCER, CONSUMER, CLIENT
  expect(road.map(({ kind }) => kind)).toEqual([2, 4, 5, 3]);
  expect(sent.attributes).toMatchObject({ 'messaging.system': system, 'doorbuster.order.id': orderId });
  expect(processed.attributes).toMatchObject({
    'doorbuster.outcome': 'reserved',
    'doorbuster.settlement': 'done',
  });
  expect(paid.attributes).toMatchObject({ 'doorbuster.payment.status': 'captured' });
  expect(shop.proxy.calls.map(({ traceparent }) => traceparent)).toEqual([
    `00-${client.traceId}-${paid.spanId}-01`,
  ]);
  expectLinked(collector.one('accept batch'), request);
  expectLinked(collector.one('decide batch'), processed);
  expect(collector.one('settle batch').links).toEqual([idsOf(processed)]);
}

/** A batch belongs to no request's trace, and each links to the other. */
export function expectLinked(batch: CollectedSpan, request: CollectedSpan): void {
  expect(batch.traceId).not.toBe(request.traceId);
  expect(batch.parentSpanId ?? '').toBe('');
  expect(batch.links).toContainEqual(idsOf(request));
  expect(request.links).toContainEqual(idsOf(batch));
}

function idsOf({ traceId, spanId }: CollectedSpan) {
  return { traceId, spanId };
}
