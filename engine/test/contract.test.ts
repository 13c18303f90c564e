import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Answer, serviceHeaders, startTestApi } from './support/api.js';
import { operatorAnswers, webhookAnswers } from './support/contract-answers.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';

const contentSchema = z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) }));
const documentSchema = z.looseObject({
  openapi: z.string(),
  components: z.looseObject({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        responses: z.record(z.string(), z.looseObject({ content: contentSchema.optional() })),
      }),
    ),
  ),
});

type Document = z.infer<typeof documentSchema>;

describe('/openapi.json', () => {
  it('describes every answer as the engine gives it, refusals included', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool);
    const upcoming = { startsInMs: 3_600_000, endsInMs: 7_200_000 };
    const asking = await createTestSale(pool, { challenge: 1000, requiresToken: true, ...upcoming });
    const api = await startTestApi(url, { IDENTITY: 'demo', FAULTS_ENABLED: 'true' });
    const document = documentSchema.parse((await api.request('GET', '/openapi.json')).body);
    const { order } = (await api.purchase({ productId, userId: 'a', key: 'k' })).body;
    const asShopper = { ...serviceHeaders, 'x-user-id': 'a' };
    const product = { name: 'x', priceMinor: 1, currency: 'EUR' };
    const rehearsal = { allocation: 1, shoppers: 1, ratePerSecond: 1, seconds: 1 };
    const fault = { place: 'payment', effect: 'latency', latencyMs: 1, forMs: 1000 };
    const sale = {
      productId: asking.productId + 1,
      startsAt: '2026-01-01T00:00:00Z',
      endsAt: '2036-01-01T00:00:00Z',
      allocation: 1,
      perUserLimit: 1,
      perPaymentLimit: 1,
      prizeOdds: 100,
    };
    const hourly = {
      ...sale,
      startsAt: '2036-06-01T00:00:00Z',
      endsAt: '2036-06-01T01:00:00Z',
      payment: 'required',
      recurrence: { cron: '0 * * * *', timeZone: 'Europe/Berlin' },
    };

    const answers: [method: string, path: string, answer: Answer][] = [
      ['post', '/api/purchase', await api.purchase({ productId, userId: 'a', key: 'k' })],
      ['post', '/api/purchase', await api.purchase({ productId, userId: 'a', quantity: 11 })],
      ['post', '/api/purchase', await api.request('POST', '/api/purchase', { body: {} })],
      ['post', '/api/session', await api.request('POST', '/api/session', { headers: {} })],
      ['post', '/api/users', await api.request('POST', '/api/users')],
      ['post', '/api/users', await api.request('POST', '/api/users', { body: { kind: 'x' } })],
      [
        'post',
        '/api/users/batch',
        await api.request('POST', '/api/users/batch', { body: { count: 3, kind: 'user' } }),
      ],
      ['get', '/api/users/health', await api.request('GET', '/api/users/health')],
      ['get', '/api/products', await api.request('GET', '/api/products?limit=1')],
      ['get', '/api/products/{id}', await api.request('GET', `/api/products/${productId}`)],
      ['get', '/api/products/{id}', await api.request('GET', '/api/products/999')],
      ['get', '/api/stock/{productId}', await api.request('GET', `/api/stock/${productId}`)],
      ['get', '/api/stock/{productId}/events', await api.request('GET', '/api/stock/999/events')],
      ['get', '/api/orders', await api.request('GET', '/api/orders', { headers: asShopper })],
      ['get', '/api/orders', await api.request('GET', '/api/orders?limit=0', { headers: asShopper })],
      [
        'get',
        '/api/orders/{id}',
        await api.request('GET', `/api/orders/${order?.id}`, { headers: asShopper }),
      ],
      [
        'get',
        '/api/orders/{id}/events',
        await api.request('GET', `/api/orders/${order?.id}/events`, { headers: serviceHeaders }),
      ],
      ['get', '/api/attempts', await api.request('GET', '/api/attempts', { headers: asShopper })],
      ['get', '/api/attempts', await api.request('GET', '/api/attempts?limit=0', { headers: asShopper })],
      ['get', '/api/live', await api.request('GET', '/api/live')],
      ['get', '/api/health', await api.request('GET', '/api/health')],
      ['get', '/api/ready', await api.request('GET', '/api/ready')],
      ['post', '/api/admin/products', await api.asOperator('POST', '/api/admin/products', product)],
      [
        'patch',
        '/api/admin/products/{id}',
        await api.asOperator('PATCH', `/api/admin/products/${productId}`, { name: 'y', imageUrl: null }),
      ],
      [
        'patch',
        '/api/admin/products/{id}',
        await api.asOperator('PATCH', '/api/admin/products/999', { name: 'y' }),
      ],
      ['post', '/api/admin/sales', await api.asOperator('POST', '/api/admin/sales', sale)],
      ['get', '/api/admin/sales', await api.asOperator('GET', '/api/admin/sales?limit=1')],
      ['get', '/api/admin/sales/{id}', await api.asOperator('GET', `/api/admin/sales/${saleId}`)],
      ['get', '/api/admin/sales/{id}', await api.asOperator('GET', '/api/admin/sales/999')],
      ['post', '/api/admin/sales', await api.asOperator('POST', '/api/admin/sales', hourly)],
      ['get', '/api/admin/series', await api.asOperator('GET', '/api/admin/series')],
      ['post', '/api/admin/series/{id}/end', await api.asOperator('POST', '/api/admin/series/1/end')],
      ['post', '/api/admin/series/{id}/end', await api.asOperator('POST', '/api/admin/series/9/end')],
      [
        'post',
        '/api/admin/sales/{id}/pause',
        await api.asOperator('POST', `/api/admin/sales/${saleId}/pause`),
      ],
      [
        'post',
        '/api/admin/sales/{id}/resume',
        await api.asOperator('POST', `/api/admin/sales/${saleId}/resume`),
      ],
      ['post', '/api/admin/sales/{id}/end', await api.asOperator('POST', `/api/admin/sales/${saleId}/end`)],
      ['get', '/api/admin/orders', await api.asOperator('GET', `/api/admin/orders?saleId=${saleId}`)],
      ['get', '/api/admin/attempts', await api.asOperator('GET', `/api/admin/attempts?saleId=${saleId}`)],
      [
        'get',
        '/api/admin/attempts/summary',
        await api.asOperator('GET', `/api/admin/attempts/summary?saleId=${saleId}`),
      ],
      ...(await operatorAnswers(api)),
      ...(await webhookAnswers(api)),
      ['get', '/api/admin/stats', await api.asOperator('GET', '/api/admin/stats')],
      ['get', '/api/admin/stats', await api.asOperator('GET', '/api/admin/stats?from=now')],
      ['get', '/api/admin/audit', await api.asOperator('GET', '/api/admin/audit')],
      [
        'post',
        '/api/checkout',
        await api.request('POST', '/api/checkout', { body: { productId, userId: 'a' } }),
      ],
      ['post', '/api/checkout', await api.request('POST', '/api/checkout', { body: {} })],
      ['post', '/api/orders', await api.request('POST', '/api/orders', { body: { productId, userId: 'a' } })],
      ['post', '/api/orders', await api.request('POST', '/api/orders', { body: { productId: 0 } })],
      [
        'delete',
        '/api/orders/{id}',
        await api.request('DELETE', `/api/orders/${order?.id}`, { headers: asShopper }),
      ],
      [
        'get',
        '/api/precheck',
        await api.request('GET', `/api/precheck?productId=${productId}`, { headers: asShopper }),
      ],
      [
        'get',
        '/api/challenge',
        await api.request('GET', `/api/challenge?productId=${asking.productId}`, { headers: asShopper }),
      ],
      ['get', '/api/challenge', await api.request('GET', `/api/challenge?productId=${productId}`)],
      [
        'get',
        '/api/purchase-token',
        await api.request('GET', `/api/purchase-token?productId=${asking.productId}`, { headers: asShopper }),
      ],
      ['post', '/api/webhooks/payments', await api.request('POST', '/api/webhooks/payments', { body: {} })],
      ['get', '/api/admin/dead-letters', await api.asOperator('GET', '/api/admin/dead-letters')],
      ['get', '/api/admin/dead-letters/{id}', await api.asOperator('GET', '/api/admin/dead-letters/1')],
      [
        'post',
        '/api/admin/dead-letters/{id}/replay',
        await api.asOperator('POST', '/api/admin/dead-letters/1/replay', {}),
      ],
      [
        'post',
        '/api/admin/dead-letters/{id}/discard',
        await api.asOperator('POST', '/api/admin/dead-letters/1/discard', { dryRun: true }),
      ],
      ['get', '/api/admin/live', await api.request('GET', '/api/admin/live')],
      ['get', '/api/admin/protection', await api.asOperator('GET', '/api/admin/protection')],
      ['post', '/api/admin/rehearsals', await api.asOperator('POST', '/api/admin/rehearsals', rehearsal)],
      ['get', '/api/admin/rehearsals', await api.asOperator('GET', '/api/admin/rehearsals')],
      ['get', '/api/admin/rehearsals/{id}', await api.asOperator('GET', '/api/admin/rehearsals/1')],
      ['delete', '/api/admin/rehearsals/{id}', await api.asOperator('DELETE', '/api/admin/rehearsals/1')],
      ['post', '/api/admin/faults', await api.asOperator('POST', '/api/admin/faults', fault)],
      ['get', '/api/admin/faults', await api.asOperator('GET', '/api/admin/faults')],
      ['delete', '/api/admin/faults', await api.asOperator('DELETE', '/api/admin/faults?place=moon')],
    ];

    expect(document.openapi).toMatch(/^3\.1/);
    for (const [method, path, answer] of answers) {
      const checked = schemaOf(document, method, path, answer.status).safeParse(answer.body);
      expect({ method, path, status: answer.status, problems: checked.error?.issues }).toMatchObject({
        problems: undefined,
      });
    }
    const called = new Set(answers.map(([method, path]) => `${method} ${path}`));
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method} ${path}`),
    );
    expect([...called].sort()).toEqual(documented.sort());
  });
});

// Only the exact status counts: a catch-all such as "default" documents nothing.
function schemaOf(document: Document, method: string, path: string, status: number): z.ZodType {
  const response = document.paths[path]?.[method]?.responses[status];
  const [content] = Object.values(response?.content ?? {});
  if (!content) throw new Error(`${method} ${path} does not document ${status}`);
  const { $ref } = content.schema;
  const shared = document.components.schemas[String($ref).split('/').at(-1) ?? ''];
  return z.fromJSONSchema($ref === undefined ? content.schema : (shared ?? false));
}
