import { describe, expect, it } from 'vitest';
import { serviceHeaders, type TestApi } from './support/api.js';
import { evil, send, shop, startWithDemoShoppers } from './support/browser.js';

describe('pages of other origins', () => {
  const preflight = (api: TestApi, origin: string) =>
    send(api, 'OPTIONS', '/api/purchase', undefined, {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type, idempotency-key',
    });

  it('may call the API and read its refusals if CORS_ORIGIN lists them', async () => {
    const { api } = await startWithDemoShoppers({ CORS_ORIGIN: `https://other.example,${shop}` });
    const { status, headers } = await preflight(api, shop);
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': shop,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': expect.stringContaining('DELETE'),
      'access-control-allow-headers': expect.stringContaining('idempotency-key'),
      'access-control-max-age': '600',
      vary: 'Origin',
    });
    for (const [method, path] of [
      ['GET', '/api/products'],
      ['GET', '/api/nothing'],
      ['PUT', '/api/purchase'],
      ['POST', '/api/purchase'],
      ['GET', '/api/admin/audit'],
    ] as const) {
      const answer = await send(api, method, path, undefined, { origin: shop });
      expect(answer.headers['access-control-allow-origin']).toBe(shop);
      expect(answer.headers['access-control-expose-headers']).toContain('retry-after');
    }
  });

  it.each([
    ['without CORS_ORIGIN', {}],
    ['if CORS_ORIGIN lists another origin', { CORS_ORIGIN: shop }],
  ])('get no CORS headers %s', async (_what, env) => {
    const { api } = await startWithDemoShoppers(env);
    for (const origin of [evil, 'null', `${shop}.evil.example`, shop.toUpperCase(), `${shop}, ${evil}`]) {
      const answers = [
        await preflight(api, origin),
        await send(api, 'GET', '/api/products', undefined, { origin }),
        await send(api, 'POST', '/api/purchase', {}, { origin, ...serviceHeaders }),
      ];
      for (const { headers } of answers) {
        expect(Object.keys(headers).filter(name => name.startsWith('access-control-'))).toEqual([]);
      }
      expect(answers[0]?.status).toBe(405);
    }
  });
});
