import { describe, expect, it } from 'vitest';
import { createKeepPartitions } from '../src/ledger/attempt-partitions.js';
import {
  type AttemptCursor,
  type AttemptFilter,
  countAttempts,
  listAttempts,
} from '../src/ledger/list-attempts.js';
import { orderIdOf } from '../src/orders/order-id.js';
import { runOnce } from '../src/platform/jobs/run-jobs.js';
import { inTransaction, type Pool } from '../src/platform/postgres.js';
import { serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { until } from './support/condition.js';
import { operatorToken } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';

describe('listing attempts', () => {
  it.each<[string, AttemptFilter, string[]]>([
    ['nothing', {}, ['e', 'd', 'c', 'b', 'a']],
    ['a sale', { saleId: 1 }, ['c', 'b', 'a']],
    ['a product', { productId: 20 }, ['e', 'd']],
    ['a shopper', { shopperId: 'd' }, ['d']],
    ['an order', { orderId: orderIdOf('b', 'k') }, ['b']],
    ['an outcome', { outcome: 'sold-out' }, ['d', 'c']],
    ['a time', { from: minutesAgo(3), to: minutesAgo(1) }, ['d', 'c', 'b']],
    ['a sale and an outcome', { saleId: 1, outcome: 'sold-out' }, ['c']],
    ['what nobody did', { saleId: 3 }, []],
  ])('by %s gives what fits, newest first', async (_what, filter, shoppers) => {
    const { pool } = await createTestDatabase();
    for (let sale = 1; sale <= 2; sale++) await createTestSale(pool);
    await insert(pool, [
      { shopper: 'a', sale: 1, product: 10, outcome: 'confirmed', at: minutesAgo(4) },
      { shopper: 'b', sale: 1, product: 10, outcome: 'confirmed', at: minutesAgo(3) },
      { shopper: 'c', sale: 1, product: 10, outcome: 'sold-out', at: minutesAgo(2) },
      { shopper: 'd', sale: 2, product: 20, outcome: 'sold-out', at: minutesAgo(1.5) },
      { shopper: 'e', sale: null, product: 20, outcome: 'sale-not-open', at: minutesAgo(1) },
    ]);

    const { attempts } = await listAttempts(pool, filter, { limit: 1000 });

    expect(attempts.map(({ shopperId }) => shopperId)).toEqual(shoppers);
  });

  it('page by page shows each once, although hundreds share a moment, and across partitions', async () => {
    const { pool } = await createTestDatabase();
    await runOnce(createKeepPartitions(pool, 0));
    const moments = ['-2 days', '-1 second', '-999999 microseconds', '1 day', '5 days'];
    for (const moment of moments) {
      await pool.query(
        `insert into attempts
         select 1, 1, $1 || n, null, 1, 'sold-out', date_trunc('second', now()) + $1::interval, 1
         from generate_series(1, 60) as n`,
        [moment],
      );
    }

    const seen: string[] = [];
    const timesMs: number[] = [];
    let after: AttemptCursor | undefined;
    do {
      const page = await listAttempts(pool, { saleId: 1 }, { after, limit: 7 });
      expect(page.attempts.length).toBeLessThanOrEqual(7);
      seen.push(...page.attempts.map(({ shopperId }) => shopperId));
      timesMs.push(...page.attempts.map(({ answeredAt }) => answeredAt.getTime()));
      after = page.next ?? undefined;
    } while (after);

    expect(seen).toHaveLength(300);
    expect(new Set(seen).size).toBe(300);
    expect(timesMs).toEqual(timesMs.toSorted((a, b) => b - a));
  });

  it('finds a shopper, a sale and the newest of all by an index in every partition, with few rows and with many', async () => {
    const { pool } = await createTestDatabase();
    for (let sale = 1; sale <= 50; sale++) await createTestSale(pool);
    await runOnce(createKeepPartitions(pool, 0));
    await pool.query(
      `insert into attempts
       select 1 + n % 50, 1, 's' || n % 5000, null, 1, 'sold-out', now() + n * interval '1 ms', 1
       from generate_series(1, 50000) as n`,
    );
    await pool.query('analyze attempts');

    expect(await rowsRead(pool, { shopperId: 's7' })).toBeLessThan(100);
    expect(await rowsRead(pool, { saleId: 7 })).toBeLessThan(200);
    expect(await rowsRead(pool, {})).toBeLessThan(2000);
    // The control: an outcome that nobody had is looked for in all rows.
    expect(await rowsRead(pool, { outcome: 'confirmed' })).toBeGreaterThan(10_000);
  });

  it('counts the attempts at a sale by outcome', async () => {
    const { pool } = await createTestDatabase();
    const at = minutesAgo(1);
    await insert(pool, [
      { shopper: 'a', sale: 1, product: 1, outcome: 'confirmed', at },
      { shopper: 'b', sale: 1, product: 1, outcome: 'sold-out', at },
      { shopper: 'c', sale: 1, product: 1, outcome: 'sold-out', at },
      { shopper: 'd', sale: 2, product: 1, outcome: 'sold-out', at },
    ]);

    expect(await countAttempts(pool, 1)).toEqual([
      { outcome: 'confirmed', attempts: 1 },
      { outcome: 'sold-out', attempts: 2 },
    ]);
    expect(await countAttempts(pool, 3)).toEqual([]);
  });
});

describe('GET /api/attempts', () => {
  it('tells shoppers of their own attempts, newest first, and why', async () => {
    const { api, pool, productId, saleId } = await startWithSale();
    const bought = await api.purchase({ productId, userId: 'me', quantity: 2, key: 'k' });
    await api.purchase({ productId, userId: 'me', quantity: 3 });
    await api.purchase({ productId, userId: 'somebody else' });
    await untilRows(pool, 3);

    const { body } = await ofShopper(api, 'me');

    const common = { productId, saleId, at: expect.any(String), durationMs: expect.any(Number) };
    expect(body.attempts).toEqual([
      {
        ...common,
        quantity: 3,
        outcome: 'limit-reached',
        orderId: null,
        message: expect.stringContaining('more than one buyer may have'),
      },
      {
        ...common,
        quantity: 2,
        outcome: 'confirmed',
        orderId: bought.body.order?.id,
        message: expect.stringContaining('yours'),
      },
    ]);
  });

  it('takes a product and a limit', async () => {
    const { api, pool, productId } = await startWithSale();
    const other = await createTestSale(pool);
    await api.purchase({ productId, userId: 'me' });
    await api.purchase({ productId: other.productId, userId: 'me' });

    expect((await ofShopper(api, 'me', `?productId=${productId}`)).body.attempts).toMatchObject([
      { productId },
    ]);
    expect((await ofShopper(api, 'me', '?limit=1')).body.attempts).toMatchObject([
      { productId: other.productId },
    ]);
  });

  it('never shows those of another shopper', async () => {
    const { api, productId } = await startWithSale({ IDENTITY: 'demo' });
    await api.purchase({ productId, userId: 'victim' });
    const session = await api.request('POST', '/api/session', { headers: {} });
    const asShopper = { authorization: `Bearer ${String(session.body.token)}` };
    const asAnother = { ...asShopper, 'x-user-id': 'victim' };

    expect((await ofShopper(api, 'victim')).body.attempts).toHaveLength(1);
    expect((await ofShopper(api, 'another')).body).toEqual({ attempts: [] });
    expect((await api.request('GET', '/api/attempts', { headers: asShopper })).body).toEqual({
      attempts: [],
    });
    expect(await api.request('GET', '/api/attempts', { headers: asAnother })).toMatchObject({ status: 400 });
    expect(await api.request('GET', '/api/attempts?shopperId=victim', { headers: asShopper })).toMatchObject({
      status: 400,
      slug: 'invalid',
    });
    expect(await api.request('GET', '/api/attempts', { headers: {} })).toMatchObject({ status: 401 });
  });
});

describe('GET /api/admin/attempts', () => {
  it('gives operators every attempt at a sale, page by page', async () => {
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

  it('shows the last hour where neither a sale, a shopper nor a time is asked for', async () => {
    const { api, pool } = await startWithSale();
    await insert(pool, [
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

  it('is CSV where that is asked for, in which no shopper can plant a formula', async () => {
    const { api, pool } = await startWithSale();
    const names = ['=1+1', '+1', '-1', '@sum(a1)', 'a "quoted", name', 'plain'];
    const at = minutesAgo(1);
    await insert(
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

  it('answers 400 to what it does not know', async () => {
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

  it('takes a limit of 1000 and the farthest cursor', async () => {
    const { api } = await startWithSale();
    const path = '/api/admin/attempts?limit=1000&after=9999999999999999-999999999-9999';
    expect(await api.asOperator('GET', path)).toMatchObject({ status: 200, body: { attempts: [] } });
  });

  it('is 403 for shoppers and for the API key, and 401 for strangers', async () => {
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

async function startWithSale(env: Record<string, string> = {}) {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool, { perUserLimit: 2 });
  const api = await startTestApi(url, env);
  return { api, pool, productId, saleId };
}

/** Attempts are rows soon after their answers. */
async function untilRows(pool: Pool, count: number): Promise<void> {
  await until('the attempts are rows', async () => {
    const { rows } = await pool.query('select from attempts');
    return rows.length === count;
  });
}

function ofShopper(api: TestApi, userId: string, query = '') {
  return api.request('GET', `/api/attempts${query}`, { headers: { ...serviceHeaders, 'x-user-id': userId } });
}

async function readCsv(api: TestApi, path: string, accept: string) {
  const response = await fetch(`${api.url}${path}`, {
    headers: { authorization: `Bearer ${operatorToken}`, accept },
  });
  const lines = (await response.text()).split('\r\n');
  expect(lines.pop()).toBe('');
  return { type: response.headers.get('content-type'), link: response.headers.get('link'), lines };
}

/** Rows that PostgreSQL touches for a page of ten, by its own count. */
async function rowsRead(pool: Pool, filter: AttemptFilter): Promise<number> {
  return inTransaction(pool, async tx => {
    await listAttempts(tx, filter, { limit: 10 });
    const { rows } = await tx.query<{ read: number }>(
      `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint as read
       from pg_stat_xact_user_tables where relname like 'attempts%'`,
    );
    return rows[0]?.read ?? 0;
  });
}

function minutesAgo(minutes: number): Date {
  return new Date(Date.now() - minutes * 60_000);
}

type Row = { shopper: string; sale: number | null; product: number; outcome: string; at: Date };

async function insert(pool: Pool, rows: readonly Row[]): Promise<void> {
  for (const { shopper, sale, product, outcome, at } of rows) {
    await pool.query('insert into attempts values ($1, $2, $3, $4, 1, $5, $6, 1234)', [
      sale,
      product,
      shopper,
      orderIdOf(shopper, 'k'),
      outcome,
      at,
    ]);
  }
}
