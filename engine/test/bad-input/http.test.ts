import { describe, expect, it } from 'vitest';
import { startTestApi } from '../support/api.js';
import { expectCleanAudit } from '../support/audit.js';
import { until } from '../support/condition.js';
import { createTestDatabase } from '../support/database.js';
import { createTestSale, stockOf } from '../support/sale.js';
import { rawPurchase, rawRows, sendRaw, withPurchase } from './raw-http.js';

const patienceMs = 20_000;

describe(`bad HTTP on a socket (${rawRows.length} rows)`, () => {
  it('gets its answer as a problem, changes nothing, and its connection is closed', async () => {
    const { pool, api, productId, saleId } = await startShop();
    const wrong: unknown[] = [];
    for (const { what, text, status, slug } of rawRows) {
      const raw = sendRaw(api.url, withPurchase(text, productId));
      await until(`${what} is answered`, () => raw.answers().length > 0 || raw.isOver(), patienceMs);
      const [answer, ...more] = raw.answers();
      const isProblem = answer?.head.includes('application/problem+json');
      const got = { status: answer?.status, slug: /\/problems\/([a-z-]+)/.exec(answer?.body ?? '')?.[1] };
      const { available } = await stockOf(pool, saleId);
      const isRight = got.status === status && got.slug === slug && isProblem && more.length === 0;
      // A wrong method does not justify closing the connection.
      if (status !== 405) await until(`${what} is disconnected`, raw.isOver, patienceMs);
      raw.socket.destroy();
      if (!isRight || available !== 100)
        wrong.push({ what, got: got.slug ? got : raw.received(), available });
    }
    expect(wrong).toEqual([]);
    await expectCleanAudit(pool);
    expect((await api.purchase({ productId, userId: 'good' })).status).toBe(200);
    console.info(`bad HTTP: ${rawRows.length} rows`);
  });

  it('is disconnected within 10 s if headers or body never end, and purchases go on', async () => {
    const { pool, api, productId, saleId } = await startShop();
    const sentAtMs = performance.now();
    const slow = [
      'GET /api/products HTTP/1.1\r\nHost: a\r\n',
      'POST /api/purchase HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\nContent-Type: application/json\r\n\r\n{',
      'POST /api/purchase HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{',
      'G',
    ].map(text => sendRaw(api.url, text));
    // Sending a byte now and then does not extend the deadline.
    const [first] = slow;
    const dripping = setInterval(() => first?.socket.writable && first.socket.write('X-A: b\r\n'), 500);

    expect((await api.purchase({ productId, userId: 'good' })).status).toBe(200);
    await until('all are closed', () => slow.every(raw => raw.isOver()), patienceMs);
    clearInterval(dripping);

    // 10 s, and some slack for a busy machine.
    expect(performance.now() - sentAtMs).toBeLessThan(14_000);
    for (const raw of slow) expect(raw.received()).toMatch(/^(HTTP\/1\.1 408 |HTTP\/1\.1 4\d\d |$)/);
    expect(slow.filter(raw => raw.received().includes('/problems/request-timeout')).length).toBeGreaterThan(
      0,
    );
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 99, sold: 1 });
  });
});

describe('1,000 requests sent at once on one connection', () => {
  it('are each answered in order, and those beyond the limit of the queue are refused', async () => {
    const { pool, api, productId, saleId } = await startShop({ DECISION_QUEUE_MAX: '50' }, 2000);
    const text = withPurchase(rawPurchase, productId).repeat(1000);
    const raw = sendRaw(api.url, text);
    await until('all are answered', () => raw.answers().length >= 1000 || raw.isOver(), patienceMs);

    const statuses = raw.answers().map(({ status }) => status);
    const sold = statuses.filter(status => status === 200).length;
    expect(statuses).toHaveLength(1000);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    expect(await stockOf(pool, saleId)).toMatchObject({ sold, available: 2000 - sold });
    await expectCleanAudit(pool);
  });

  it('use bounded memory if the sender does not read, and other callers are served', async () => {
    const { api, productId } = await startShop();
    const request = 'GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n';
    const { size } = await api.request('GET', '/openapi.json').then(({ body }) => ({
      size: JSON.stringify(body).length,
    }));
    const before = process.memoryUsage();
    const raw = sendRaw(api.url, '');
    raw.socket.pause();
    raw.socket.write(request.repeat(1000));
    for (let buyer = 0; buyer < 10; buyer++) {
      expect((await api.purchase({ productId, userId: `b${buyer}` })).status).toBe(200);
    }
    // The API runs in this process: the pending answers share the same bytes instead of a thousand copies.
    const { external, heapUsed } = process.memoryUsage();
    const grownBytes = external + heapUsed - before.external - before.heapUsed;
    expect(grownBytes).toBeLessThan((size * 1000) / 4);
  });

  it('never get a refusal for a purchase because bad HTTP follows it', async () => {
    const { pool, api, productId, saleId } = await startShop();
    const raw = sendRaw(api.url, `${withPurchase(rawPurchase, productId)}\0\0\0\r\n\r\n`);
    await until('it is disconnected', raw.isOver, patienceMs);
    for (const { status } of raw.answers()) expect(status).toBe(200);
    // A caller that disconnects before the batch is sealed does not buy; one that stays does.
    expect((await stockOf(pool, saleId)).sold).toBeLessThanOrEqual(1);
    await expectCleanAudit(pool);
  });
});

async function startShop(env: Record<string, string> = {}, perUserLimit = 10) {
  const { url, pool } = await createTestDatabase();
  const allocation = Math.max(100, perUserLimit);
  const sale = await createTestSale(pool, { allocation, perUserLimit });
  return { ...sale, pool, api: await startTestApi(url, env) };
}
