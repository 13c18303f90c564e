import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDecide } from '../src/ledger/decide.js';
import { createBatchQueue } from '../src/orders/batch-queue.js';
import { orderIdOf } from '../src/orders/order-id.js';
import { type Answer, startTestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { startFaultProxy } from './support/fault-proxy.js';
import { createUnwatched } from './support/queue-options.js';
import { createTestSale, stockOf } from './support/sale.js';

describe('an engine that loses the reply to COMMIT', () => {
  it('finds the committed order and answers it as confirmed, once', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool);
    const proxy = await startFaultProxy(url);
    const api = await startTestApi(proxy.url);

    proxy.cutReplyTo('decide', 2);
    const answers = await Promise.all(
      ['a', 'b', 'c'].map(userId => api.purchase({ productId, userId, key: 'the-key' })),
    );

    expect(proxy.cuts()).toBe(2);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await stockOf(pool, saleId)).sold).toBe(3);
    await expectCleanAudit(pool);
  });

  it('reports an unknown outcome if it cannot find out in time, and a retry with the key finds the order', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool);
    const proxy = await startFaultProxy(url);
    const api = await startTestApi(proxy.url, { DECISION_DEADLINE_MS: '300' });

    proxy.cutReplyTo('decide', 1000);
    const lost = await api.purchase({ productId, userId: 'a', key: 'the-key' });
    proxy.cutReplyTo('decide', 0);
    const retried = await api.purchase({ productId, userId: 'a', key: 'the-key' });

    expect(lost).toMatchObject({
      status: 503,
      slug: 'outcome-unknown',
      body: { orderId: orderIdOf('a', 'the-key') },
    });
    expect(retried.status).toBe(200);
    expect(retried.headers.get('idempotency-replayed')).toBe('true');
    expect(retried.body.order?.id).toBe(lost.body.orderId);
    expect((await stockOf(pool, saleId)).sold).toBe(1);
  });
});

describe('an engine behind a proxy that has no PostgreSQL server', () => {
  it('reports that nothing was taken, since nothing was sent', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const proxy = await startFaultProxy(url);
    const api = await startTestApi(proxy.url, { DECISION_DEADLINE_MS: '300' });
    await api.purchase({ productId, userId: 'warm-up' });
    proxy.close();
    // It accepts a connection and closes it, as HAProxy does.
    const empty = createServer(socket => socket.destroy());
    empty.listen(Number(new URL(proxy.url).port), '127.0.0.1');
    onTestFinished(() => void empty.close());

    await until('a purchase is refused as overloaded', async () => {
      const { status, slug } = await api.purchase({ productId, userId: 'ada', key: 'the-key' });
      expect(status).toBe(503);
      return slug === 'overloaded';
    });
  });
});

describe('an engine whose PostgreSQL does not respond', () => {
  it('answers 503 within the deadline plus one statement timeout, and decides again afterwards', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const proxy = await startFaultProxy(url);
    const api = await startTestApi(proxy.url, { DECISION_DEADLINE_MS: '300', DB_TIMEOUT: '500' });
    await api.purchase({ productId, userId: 'warm-up' });

    proxy.setSilent(true);
    const startedAtMs = performance.now();
    const answers = await Promise.all(['a', 'b'].map(userId => api.purchase({ productId, userId })));
    const tookMs = performance.now() - startedAtMs;
    proxy.setSilent(false);

    expect(answers.map(({ status }) => status)).toEqual([503, 503]);
    expect(answers[0]?.headers.get('retry-after')).toMatch(/^[123]$/);
    // The driver gives an unresponsive server one second on top of the statement timeout.
    expect(tookMs).toBeLessThan(300 + 500 + 1000 + 1000);
    await until(
      'purchases go through again',
      async () => (await api.purchase({ productId, userId: 'c' })).status === 200,
    );
  });
});

describe('an engine whose sessions are terminated every 200 ms', () => {
  it('loses no acknowledged order and duplicates none', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { allocation: 1_000_000 });
    const api = await startTestApi(url);
    const acknowledged: { orderId: string; shopperId: string; quantity: number }[] = [];
    const outcomes = new Map<string, number>();
    let terminations = 0;
    const isOver = () => terminations >= 15 && acknowledged.length > 100;
    const endsAtMs = performance.now() + 25_000;

    const buyUntilTheEnd = async (_: unknown, shopper: number) => {
      for (let i = 0; !isOver() && performance.now() < endsAtMs; i++) {
        const userId = `shopper-${shopper}-${i}`;
        const answer = await api.purchase({ productId, userId, key: 'k' });
        count(outcomes, answer);
        if (answer.body.order)
          acknowledged.push({ orderId: answer.body.order.id, shopperId: userId, quantity: 1 });
      }
    };
    const terminator = setInterval(() => {
      terminations += 1;
      pool
        .query(`select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()`)
        .catch(() => {});
    }, 200);
    await Promise.all(Array.from({ length: 20 }, buyUntilTheEnd));
    clearInterval(terminator);

    expect([...outcomes.keys()].filter(status => status !== '200' && !status.startsWith('503'))).toEqual([]);
    expect(isOver()).toBe(true);
    await expectCleanAudit(pool, acknowledged);
  });
});

describe('an engine whose hot row is locked for a long time', () => {
  it('refuses at the deadline and leaves nothing behind', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool);
    const api = await startTestApi(url, { DECISION_DEADLINE_MS: '200', DB_TIMEOUT: '400' });
    const holder = await pool.connect();
    await holder.query('begin');
    await holder.query('select from stock where sale_id = $1 for update', [saleId]);

    const answer = await api.purchase({ productId, userId: 'a' });
    await holder.query('rollback');
    holder.release();

    expect(answer).toMatchObject({ status: 503, slug: 'overloaded' });
    expect((await stockOf(pool, saleId)).sold).toBe(0);
    expect((await api.purchase({ productId, userId: 'a' })).status).toBe(200);
  });
});

describe('a request that PostgreSQL rejects', () => {
  it('does not fail the others in its batch', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool);
    const poisoned: string[] = [];
    const queue = createBatchQueue({
      decide: createDecide(pool),
      ...createUnwatched(),
      onPoison: ({ shopperId }) => poisoned.push(shopperId),
      deadlineMs: 5000,
      queueMax: 100,
      batchMax: 100,
    });

    // U+0000 never gets past the API; PostgreSQL text cannot contain it.
    const names = ['a', 'b', 'poi\0son', 'c', 'd'];
    const outcomes = await Promise.all(
      names.map(shopperId =>
        queue.join(saleId, { orderId: orderIdOf(shopperId, 'k'), shopperId, quantity: 1, receivedAtMs: 0 }),
      ),
    );

    expect(outcomes.map(({ outcome }) => outcome)).toEqual([
      'confirmed',
      'confirmed',
      'undecided',
      'confirmed',
      'confirmed',
    ]);
    expect(poisoned).toEqual(['poi\0son']);
    expect((await stockOf(pool, saleId)).sold).toBe(4);
  });
});

function count(outcomes: Map<string, number>, { status, slug }: Answer): void {
  const outcome = slug ? `${status} ${slug}` : String(status);
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}
