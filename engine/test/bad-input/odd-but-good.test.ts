import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { serviceHeaders, startTestApi, type TestApi } from '../support/api.js';
import { expectCleanAudit } from '../support/audit.js';
import { until } from '../support/condition.js';
import { operatorToken } from '../support/config.js';
import { createTestDatabase } from '../support/database.js';
import { type EventReader, readEvents } from '../support/events.js';
import { createTestSale } from '../support/sale.js';
import { createSend } from './send.js';

const naughty = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '{{7*7}}$\u007b7*7}<%= 7*7 %>#{7*7}',
  "'; drop table orders; --",
  '" or ""="',
  ';select pg_sleep(5)',
  '$1',
  '%s%n%x',
  '=cmd()',
  '@SUM(1+1)*cmd|" /C calc"!A0',
  '../../../etc/passwd',
  '%00%0d%0aSet-Cookie: x=1',
  'null',
  'undefined',
  'NaN',
  'true',
  '0',
  '-1',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '{"a":1}',
  '[1,2]',
  'a:b::c',
  '\\',
  '\\u0000',
  '\\"',
  "''''",
  '田中さんにあげて下さい',
  'مرحبا',
];
// Names of products only: as a shopper, each would look like another one, or empty (test/shopper-ids.test.ts).
const lookalikes = [
  'ﬁﬂ ½ ①',
  '👩‍👩‍👧‍👦 🏳️‍🌈',
  '\u202Ereversed',
  '\u200b\u200d\ufeff',
  'e\u0301\u0301\u0301',
  '\ufffe',
  '\u2028line\u2029',
  'İıſK',
  'ⅷ',
];

describe('text that looks malicious but is valid', () => {
  it(`is stored as given (${naughty.length} strings), as a product name and as a shopper that can be told apart`, async () => {
    const { api, pool, productId } = await startShop();
    for (const text of [...naughty, ...lookalikes]) {
      const product = { name: text, description: text, priceMinor: 1, currency: 'EUR' };
      const created = await api.asOperator('POST', '/api/admin/products', product);
      expect(created, text).toMatchObject({ status: 201, body: { name: text, description: text } });
      expect(created.headers.get('content-type')).toMatch(/^application\/json/);
      const read = await api.request('GET', `/api/products/${z.int().parse(created.body.id)}`);
      expect(read.body, text).toMatchObject({ name: text, description: text });
      const expected = naughty.includes(text) ? 200 : 400;
      expect((await api.purchase({ productId, userId: text })).status, text).toBe(expected);
    }
    const { rows } = await pool.query<{ shopperId: string }>('select shopper_id as "shopperId" from orders');
    expect(rows.map(({ shopperId }) => shopperId).sort()).toEqual([...naughty].sort());
    await expectCleanAudit(pool);
  });

  it('is quoted in a CSV export, so that no spreadsheet executes it', async () => {
    const { api, productId, saleId } = await startShop();
    for (const userId of ['=cmd()', '+1', '-1', '@a', 'a,"b']) await api.purchase({ productId, userId });
    const { send, close } = createSend(api.url, 1);
    const export_ = await send({
      method: 'GET',
      path: `/api/admin/attempts?saleId=${saleId}&format=csv`,
      headers: { authorization: `Bearer ${operatorToken}` },
    });
    for (const cell of [`"'=cmd()"`, `"'+1"`, `"'-1"`, `"'@a"`, '"a,""b"'])
      expect(export_.text).toContain(cell);
    close();
  });

  it('is not rejected as a duplicate key when it only looks like one', async () => {
    const { api, productId } = await startShop();
    for (const body of [
      `{"productId":${productId},"userId":"a:b:\\"c\\":\\\\"}`,
      ` {\n"userId" : "\\"userId\\":" ,\t"productId" : ${productId} } `,
    ]) {
      expect((await api.request('POST', '/api/purchase', { body })).status, body).toBe(200);
    }
  });
});

describe('an Idempotency-Key', () => {
  it('may have 255 characters', async () => {
    const { api, productId } = await startShop();
    expect((await api.purchase({ productId, userId: 'u', key: 'x'.repeat(255) })).status).toBe(200);
  });

  it("belongs to one shopper: another's equal key is another order", async () => {
    const { api, productId } = await startShop();
    const [mine, yours] = await Promise.all(
      ['u', 'v'].map(userId => api.purchase({ productId, userId, key: 'k' })),
    );
    expect([mine?.status, yours?.status]).toEqual([200, 200]);
    expect(mine?.body.order?.id).not.toBe(yours?.body.order?.id);
  });

  it('in flight elsewhere is waited for: 20 at once are one order', async () => {
    const { api, pool, productId } = await startShop();
    const purchase = { productId, userId: 'u', key: 'k' };
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.purchase(purchase)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.order?.id)).size).toBe(1);
    await expectCleanAudit(pool);
  });
});

describe('an X-Request-Id', () => {
  it('that could break a header or a log line is not echoed: the answer gets one made by the engine', async () => {
    const { api } = await startShop();
    const { send, close } = createSend(api.url, 1);
    const answerTo = async (given: string) => {
      const headers = { authorization: `Bearer ${operatorToken}`, 'x-request-id': given };
      return (await send({ method: 'POST', path: '/api/admin/sales/999999/end', headers })).headers[
        'x-request-id'
      ];
    };
    expect(await answerTo('from-the-proxy-1')).toBe('from-the-proxy-1');
    for (const given of ['a b', 'é', 'a\tb', '', 'x'.repeat(129), '\u0080']) {
      expect(await answerTo(given), given).toMatch(/^[0-9a-f-]{36}$/);
    }
    close();
  });
});

describe('forceFail', () => {
  it('is refused unless faults are enabled; then the queue accepts the order', async () => {
    const refusing = await startShop();
    const forced = (productId: number) => ({ body: { productId, userId: 'u', forceFail: true } });
    const refused = await refusing.api.request('POST', '/api/orders', forced(refusing.productId));
    expect(refused).toMatchObject({ status: 400, slug: 'invalid' });
    expect(refused.body.detail).toContain('FAULTS_ENABLED');

    const { api, productId } = await startShop({ FAULTS_ENABLED: 'true' });
    expect((await api.request('POST', '/api/orders', forced(productId))).status).toBe(202);
  });
});

describe('50 streams of one shopper', () => {
  it('are limited to 20, the rest get 429, and another shopper can still open one', async () => {
    const { api, productId } = await startShop();
    const mine = await follow(api, productId, 'greedy', 50);
    const yours = await follow(api, productId, 'modest', 1);

    expect(mine.map(({ status }) => status).sort()).toEqual([...Array(20).fill(200), ...Array(30).fill(429)]);
    expect(yours.map(({ status }) => status)).toEqual([200]);
    for (const reader of mine) reader.close();
    await until('there is room', async () => (await follow(api, productId, 'greedy', 1))[0]?.status === 200);
  });
});

async function follow(
  api: TestApi,
  productId: number,
  userId: string,
  count: number,
): Promise<EventReader[]> {
  const { body } = await api.purchase({ productId, userId, key: 'k' });
  const url = `${api.url}/api/orders/${body.order?.id}/events`;
  const headers = { ...serviceHeaders, 'x-user-id': userId };
  return Promise.all(Array.from({ length: count }, () => readEvents(url, headers)));
}

async function startShop(env: Record<string, string> = {}) {
  const { url, pool } = await createTestDatabase();
  const sale = await createTestSale(pool);
  return { ...sale, pool, api: await startTestApi(url, env) };
}
