import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { until } from './support/condition.js';
import { operatorToken, secrets } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';

const annSecret = 'secret-of-ann-000000';
const withAnn = { ...secrets, operators: [...secrets.operators, { name: 'ann', secret: annSecret }] };
const product = { name: 'x', priceMinor: 1, currency: 'EUR' };
const path = '/api/admin/session';

const signedInSchema = z.looseObject({ session: z.looseObject({ id: z.uuid() }), csrfToken: z.string() });
const actionsSchema = z.object({
  actions: z.array(
    z.looseObject({ id: z.number(), detail: z.string().nullable(), outcome: z.string().nullable() }),
  ),
  next: z.number().nullable(),
});

describe('an operator', () => {
  it('signs in with their own secret, is identified by name, and signs out', async () => {
    const { api } = await start();
    const answer = await signIn(api, { operator: 'ann', secret: annSecret });
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^doorbuster_operator=[^;]+; Path=\/; Max-Age=28800; SameSite=Strict; HttpOnly$/),
      expect.stringMatching(/^doorbuster_operator_csrf=[\w-]{43}; Path=\/; Max-Age=28800; SameSite=Strict$/),
    ]);
    const { session, csrfToken } = signedInSchema.parse(answer.body);
    const cookie = cookieOf(answer);
    expect((await api.request('GET', path, { headers: { cookie } })).body).toMatchObject({
      operator: 'ann',
      csrfToken,
      session: { id: session.id, operator: 'ann' },
    });
    expect((await api.request('GET', '/api/admin/audit', { headers: { cookie } })).status).toBe(200);

    const out = await api.request('DELETE', path, { headers: { cookie, origin: api.url } });
    expect(out.status).toBe(204);
    for (const text of out.headers.getSetCookie()) expect(text).toContain('Max-Age=0');
    expect((await api.request('GET', path, { headers: { cookie } })).slug).toBe('not-authenticated');
    expect((await api.asOperator('DELETE', path)).slug).toBe('session-not-found');
    expect((await api.asOperator('GET', path)).body).toMatchObject({ operator: 'operator', session: null });
  });

  it('is refused with an empty, a common, another operator’s or the shop’s secret: no default works', async () => {
    const { api } = await start();
    for (const secret of ['admin', 'password', 'operator', 'changeme', secrets.secretKey, annSecret]) {
      expect(await signIn(api, { secret })).toMatchObject({ status: 401, slug: 'not-authenticated' });
    }
    expect((await signIn(api, { operator: 'ann', secret: operatorToken })).status).toBe(401);
    expect((await signIn(api, { operator: 'eve', secret: operatorToken })).status).toBe(401);
    expect((await signIn(api, { secret: '' })).status).toBe(400);
    expect((await signIn(api, {})).status).toBe(400);
    expect(
      (await api.request('GET', path, { headers: { authorization: 'Basic YWRtaW46YWRtaW4=' } })).status,
    ).toBe(401);
  });

  it('cannot be made to act by a page of another site', async () => {
    const { api, pool } = await start();
    const answer = await signIn(api, { secret: operatorToken });
    const { csrfToken } = signedInSchema.parse(answer.body);
    const cookie = cookieOf(answer);
    const create = (headers: Record<string, string>) =>
      api.request('POST', '/api/admin/products', { body: product, headers: { cookie, ...headers } });
    const productsAtFirst = await count(pool, 'products');

    expect((await create({ origin: 'https://evil.example' })).slug).toBe('forbidden-origin');
    expect((await create({})).slug).toBe('csrf');
    expect(await count(pool, 'products')).toBe(productsAtFirst);
    expect((await create({ origin: api.url })).status).toBe(201);
    expect((await create({ 'x-csrf-token': csrfToken })).status).toBe(201);
  });

  it("stays signed in for the session's lifetime, in every process", async () => {
    const { api, url } = await start({ OPERATOR_SESSION_TTL_SECONDS: '3' });
    const other = await startTestApi(url, {}, { secrets: withAnn });
    const cookie = cookieOf(await signIn(api, { secret: operatorToken }));
    expect((await other.request('GET', path, { headers: { cookie } })).status).toBe(200);
    await until(
      'it is over',
      async () => (await other.request('GET', path, { headers: { cookie } })).status === 401,
      20_000,
    );
  });
});

describe('a session', () => {
  it('that is revoked is refused at once here, and within about a second in another process', async () => {
    const { api, url } = await start();
    const other = await startTestApi(url, {}, { secrets: withAnn });
    const answer = await signIn(api, { operator: 'ann', secret: annSecret });
    const { session } = signedInSchema.parse(answer.body);
    const headers = { cookie: cookieOf(answer) };
    const status = async (where: TestApi) => (await where.request('GET', path, { headers })).status;
    expect([await status(api), await status(other)]).toEqual([200, 200]);
    const list = async () => JSON.stringify((await api.asOperator('GET', '/api/admin/sessions')).body);
    expect(await list()).toContain(session.id);

    expect((await api.asOperator('DELETE', `/api/admin/sessions/${session.id}`)).status).toBe(204);
    const revokedAtMs = performance.now();
    expect(await status(api)).toBe(401);
    await until('the other has been notified', async () => (await status(other)) === 401, 20_000);
    // One second, plus the time of a request on a busy machine.
    expect(performance.now() - revokedAtMs).toBeLessThan(5000);
    expect(await list()).not.toContain(session.id);
    expect((await api.asOperator('DELETE', `/api/admin/sessions/${session.id}`)).status).toBe(204);
    const unknown = await api.asOperator(
      'DELETE',
      '/api/admin/sessions/00000000-0000-4000-8000-000000000000',
    );
    expect(unknown.slug).toBe('session-not-found');
  });

  it("is invalid without its signature, or with another's", async () => {
    const { api } = await start();
    const [mine, other] = [
      await signIn(api, { secret: operatorToken }),
      await signIn(api, { secret: operatorToken }),
    ];
    const tokenOf = (answer: typeof mine) => cookieOf(answer).split(';')[0]?.split('=')[1]?.split('.') ?? [];
    const [[id, end], [, , signature]] = [tokenOf(mine), tokenOf(other)];
    for (const token of [`${id}`, `${id}.${end}`, `${id}.${end}.${signature}`]) {
      const headers = { cookie: `doorbuster_operator=${token}` };
      expect((await api.request('GET', path, { headers })).status).toBe(401);
    }
  });
});

describe('the audit trail', () => {
  it('records who did what to what, from where, and with what result, without secrets', async () => {
    const { api, saleId } = await start();
    const answer = await signIn(api, { operator: 'ann', secret: annSecret });
    const { session } = signedInSchema.parse(answer.body);
    const asAnn = { cookie: cookieOf(answer), origin: api.url, 'x-request-id': 'from-the-proxy-1' };
    await api.request('POST', `/api/admin/sales/${saleId}/pause`, { headers: asAnn });
    await api.asOperator('POST', '/api/admin/products', product);
    await api.asOperator('POST', '/api/admin/products', {
      ...product,
      password: 'hunter2',
      nested: { apiKey: 'k1' },
    });
    await api.asOperator('POST', '/api/admin/products', { name: `\0${'x'.repeat(20_000)}` });
    await api.asOperator('POST', '/api/admin/sales/999/end?x=1');
    await signIn(api, { operator: 'ann', secret: 'hunter2-wrong' });
    await api.request('DELETE', path, { headers: asAnn });
    await api.request('POST', '/api/admin/products', { body: product, headers: serviceHeaders });
    await api.asOperator('GET', '/api/admin/audit');

    const { actions } = await trail(api);
    const ann = { operator: 'ann', sessionId: session.id, ip: '127.0.0.1' };
    const bearer = {
      operator: 'operator',
      sessionId: null,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    };
    const creation = { ...bearer, action: 'POST /api/admin/products', target: '/api/admin/products' };
    expect(actions.reverse()).toMatchObject([
      {
        ...ann,
        action: `POST ${path}`,
        detail: '{"operator":"ann","secret":"(hidden)"}',
        status: 201,
        outcome: 'ok',
      },
      {
        ...ann,
        action: 'POST /api/admin/sales/:id/pause',
        target: `/api/admin/sales/${saleId}/pause`,
        detail: null,
        status: 200,
        outcome: 'ok',
        requestId: 'from-the-proxy-1',
      },
      { ...creation, detail: JSON.stringify(product), status: 201, outcome: 'ok' },
      { ...creation, status: 400, outcome: 'invalid' },
      { ...creation, status: 400, outcome: 'invalid' },
      { ...bearer, target: '/api/admin/sales/999/end?x=1', status: 404, outcome: 'sale-not-found' },
      { operator: 'ann', sessionId: null, status: 401, outcome: 'not-authenticated' },
      { ...ann, action: `DELETE ${path}`, status: 204, outcome: 'ok' },
    ]);
    expect(actions).toHaveLength(8);
    expect(JSON.stringify(actions)).not.toMatch(/hunter2|k1|secret-of-ann/);
    expect(Math.max(...actions.map(({ detail }) => detail?.length ?? 0))).toBe(4000);
  });

  it('is read page by page, newest first, without a gap', async () => {
    const { api } = await start();
    for (let n = 0; n < 5; n++) await api.asOperator('POST', '/api/admin/products', product);
    const all = (await trail(api)).actions.map(({ id }) => id);
    const pages: number[] = [];
    for (let next: number | null | undefined; next !== null; ) {
      const page: z.infer<typeof actionsSchema> = await trail(
        api,
        `?limit=2${next ? `&before=${next}` : ''}`,
      );
      pages.push(...page.actions.map(({ id }) => id));
      next = page.next;
    }
    expect(pages).toEqual(all);
    expect(all).toHaveLength(5);
  });

  it('is written first: an action that cannot be recorded is not carried out', async () => {
    const { api, pool, saleId } = await start();
    await pool.query('alter table operator_actions rename to hidden');
    expect((await api.asOperator('POST', `/api/admin/sales/${saleId}/end`)).status).toBe(500);
    await pool.query('alter table hidden rename to operator_actions');
    const { rows } = await pool.query<{ status: string }>('select status from sales where sale_id = $1', [
      saleId,
    ]);
    expect(rows[0]?.status).toBe('active');
  });
});

async function start(env: Record<string, string> = {}) {
  const { url, pool } = await createTestDatabase();
  const { saleId } = await createTestSale(pool);
  const api = await startTestApi(url, env, { secrets: withAnn });
  return { api, url, pool, saleId };
}

function signIn(api: TestApi, body: { operator?: string; secret?: string }) {
  return api.request('POST', path, { body, headers: {} });
}

function cookieOf({ headers }: { headers: Headers }): string {
  return headers
    .getSetCookie()
    .map(text => text.split(';')[0])
    .join('; ');
}

async function trail(api: TestApi, query = '') {
  return actionsSchema.parse((await api.asOperator('GET', `/api/admin/actions${query}`)).body);
}

async function count(pool: Awaited<ReturnType<typeof createTestDatabase>>['pool'], table: 'products') {
  const { rows } = await pool.query<{ count: number }>(`select count(*) as count from ${table}`);
  return rows[0]?.count;
}
