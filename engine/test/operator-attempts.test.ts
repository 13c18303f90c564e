import { describe, expect, it } from 'vitest';
import { serviceHeaders, type TestApi } from './support/api.js';
import { insertAttempts, minutesAgo, startWithSale } from './support/attempt-rows.js';
import { operatorToken } from './support/config.js';

describe('GET /api/admin/attempts', () => {
  it('returns every attempt in a sale to operators, page by page', async () => {
    const { api, productId, saleId } = await startWithSale();
    for (const userId of ['a', 'b', 'c']) await api.purchase({ productId, userId });

    const first = await api.asOperator('GET', `/api/admin/attempts?saleId=${saleId}&limit=2`);
    const next = String(first.body.next);
    const second = await api.asOperator('GET', `/api/admin/attempts?saleId=${saleId}&limit=2&after=${next}`);

    expect(first.body.attempts).toMatchObject([{ shopperId: 'c' }, { shopperId: 'b' }]);
    expect(second.body).toMatchObject({ attempts: [{ shopperId: 'a', outcome: 'confirmed' }], next: null });
    expect((await api.asOperator('GET', `/api/admin/attempts/summary?saleId=${saleId}`)).body).toEqual({
      saleId,
      attempts: 3,
      outcomes: [{ outcome: 'confirmed', attempts: 3 }],
    });
  });

  it('covers the last hour unless the operator names a sale, a shopper or a time', async () => {
    const { api, pool } = await startWithSale();
    await insertAttempts(pool, [
      { shopper: 'old', sale: 1, product: 1, outcome: 'sold-out', at: minutesAgo(70) },
      { shopper: 'new', sale: 1, product: 1, outcome: 'sold-out', at: minutesAgo(50) },
    ]);
    const shoppers = async (query: string) => {
      const { attempts } = (await api.asOperator('GET', `/api/admin/attempts${query}`)).body;
      return Array.isArray(attempts) ? attempts.map(({ shopperId }) => shopperId) : [];
    };

    expect(await shoppers('')).toEqual(['new']);
    expect(await shoppers('?saleId=1')).toEqual(['new', 'old']);
    expect(await shoppers(`?from=${minutesAgo(80).toISOString()}`)).toEqual(['new', 'old']);
    expect(await shoppers(`?to=${minutesAgo(60).toISOString()}`)).toEqual(['old']);
  });

  it('returns CSV on request, and escapes names that a spreadsheet would run as formulas', async () => {
    const { api, pool } = await startWithSale();
    const names = ['=1+1', '+1', '-1', '@sum(a1)', 'a "quoted", name', 'plain'];
    const at = minutesAgo(1);
    await insertAttempts(
      pool,
      names.map(shopper => ({ shopper, sale: 7, product: 1, outcome: 'sold-out', at })),
    );
    const path = '/api/admin/attempts?saleId=7';

    for (const [query, accept] of [
      ['&format=csv', 'application/json'],
      ['', 'text/csv'],
    ]) {
      const { type, link, lines } = await readCsv(api, `${path}${query}`, `${accept}`);
      expect(type).toContain('text/csv');
      expect(link).toBeNull();
      expect(lines[0]).toBe('at,shopperId,productId,saleId,quantity,outcome,message,orderId,durationMs');
      const cells = lines.slice(1).map(line => /^[^,]+,("(?:[^"]|"")*"|[^,]*),/.exec(line)?.[1]);
      expect(cells.sort()).toEqual(
        [`"'=1+1"`, `"'+1"`, `"'-1"`, `"'@sum(a1)"`, '"a ""quoted"", name"', 'plain'].sort(),
      );
    }
    const page = await readCsv(api, `${path}&format=csv&limit=4`, '*/*');
    const [, next] = /^<(.+)>; rel="next"$/.exec(page.link ?? '') ?? [];
    expect((await readCsv(api, `${next}`, '*/*')).lines).toHaveLength(3);
    expect((await api.asOperator('GET', `${path}&format=json`)).body.next).toBeNull();
  });

  it('answers 400 to invalid and unknown parameters', async () => {
    const { api } = await startWithSale();
    for (const path of badPaths) {
      const answer = path.startsWith('/api/admin')
        ? await api.asOperator('GET', path)
        : await api.request('GET', path, { headers: { ...serviceHeaders, 'x-user-id': 'u' } });
      expect({ path, status: answer.status, slug: answer.slug }).toEqual({
        path,
        status: 400,
        slug: 'invalid',
      });
    }
  });

  it('accepts a limit of 1000 and the highest cursor', async () => {
    const { api } = await startWithSale();
    const path = '/api/admin/attempts?limit=1000&after=9999999999999999-999999999-9999';
    expect(await api.asOperator('GET', path)).toMatchObject({ status: 200, body: { attempts: [] } });
  });

  it('answers 403 to shoppers and to the API key, and 401 without credentials', async () => {
    const { api } = await startWithSale({ IDENTITY: 'demo' });
    const session = await api.request('POST', '/api/session', { headers: {} });
    const asShopper = { authorization: `Bearer ${String(session.body.token)}` };
    for (const path of ['/api/admin/attempts', '/api/admin/attempts/summary?saleId=1']) {
      expect((await api.request('GET', path, { headers: asShopper })).status).toBe(403);
      expect((await api.request('GET', path)).status).toBe(403);
      expect((await api.request('GET', path, { headers: {} })).status).toBe(401);
    }
  });
});

const badPaths = [
  '/api/admin/attempts?limit=0',
  '/api/admin/attempts?limit=1001',
  '/api/admin/attempts?limit=1e2',
  '/api/admin/attempts?after=x',
  '/api/admin/attempts?after=1-2-3%27',
  '/api/admin/attempts?after=99999999999999999-0-1',
  '/api/admin/attempts?outcome=Sold%20out',
  '/api/admin/attempts?saleId=0',
  '/api/admin/attempts?shopperId=',
  '/api/admin/attempts?orderId=1',
  '/api/admin/attempts?from=yesterday',
  '/api/admin/attempts?format=xml',
  '/api/admin/attempts?sort=at',
  '/api/admin/attempts/summary',
  '/api/admin/attempts/summary?saleId=1&limit=1',
  '/api/attempts?limit=0',
  '/api/attempts?limit=1001',
  '/api/attempts?productId=x',
  '/api/attempts?userId=u',
];

async function readCsv(api: TestApi, path: string, accept: string) {
  const response = await fetch(`${api.url}${path}`, {
    headers: { authorization: `Bearer ${operatorToken}`, accept },
  });
  const lines = (await response.text()).split('\r\n');
  expect(lines.pop()).toBe('');
  return { type: response.headers.get('content-type'), link: response.headers.get('link'), lines };
}
