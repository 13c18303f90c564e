import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { expect, onTestFinished } from 'vitest';
import { z } from 'zod';
import { startApp } from '../../src/app/app.js';
import type { Pool } from '../../src/platform/postgres.js';
import { type Answer, serviceHeaders, type TestApi } from './api.js';
import { expectCleanAudit } from './audit.js';
import { until } from './condition.js';
import { secrets, testConfig } from './config.js';
import { createTestDatabase } from './database.js';
import { type PaidShop, type PaidShopOptions, startPaidShop } from './paid-shop.js';
import { type ProviderProxy, startProviderProxy } from './provider-proxy.js';
import { createTestSale, type SaleOptions } from './sale.js';

export type PaidSale = PaidShop & { pool: Pool; databaseUrl: string; productId: number; saleId: number };

/** A shop with one paid sale, in its own database. */
export async function startPaidSale(sale: SaleOptions = {}, shop: PaidShopOptions = {}): Promise<PaidSale> {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool, { payment: 'required', ...sale });
  return { ...(await startPaidShop(url, shop)), databaseUrl: url, pool, productId, saleId };
}

/** The same, with a proxy between engine and provider that can be told to lie. */
export async function startProxiedSale(sale: SaleOptions = {}, shop: PaidShopOptions = {}) {
  const proxies: ProviderProxy[] = [];
  const interpose = async (sandboxUrl: string) => {
    const proxy = await startProviderProxy(sandboxUrl);
    proxies.push(proxy);
    return proxy.url;
  };
  const started = await startPaidSale(sale, { ...shop, interpose });
  const [proxy] = proxies;
  if (!proxy) throw new Error('the shop was started without its proxy');
  return { ...started, proxy };
}

/** Another process that reconciles and expires holds, for a shop that was started without one. */
export async function startScheduler({ databaseUrl, env }: PaidSale): Promise<void> {
  const config = testConfig(env);
  const logger = pino({ level: 'silent' });
  const app = await startApp({ roles: ['scheduler'], config, secrets, databaseUrl, logger });
  onTestFinished(() => app.drain());
}

type Purchase = { userId: string; productId?: number; code?: string; paymentMethod?: string; key?: string };

/** POST /api/purchase, direct or with a code, under its own key unless one is given. */
export function buy(api: TestApi, { key = randomUUID(), ...body }: Purchase): Promise<Answer> {
  return api.request('POST', '/api/purchase', {
    body,
    headers: { ...serviceHeaders, 'idempotency-key': key },
  });
}

export async function checkOut(api: TestApi, body: { productId: number; userId: string }) {
  const answer = await api.request('POST', '/api/checkout', { body });
  return heldSchema.parse(answer.body);
}

const heldSchema = z.object({ code: z.string(), order: z.object({ id: z.string() }) });

/** The order of an answer, granted or refused. */
export function orderIdIn({ body }: Answer): string {
  return body.order?.id ?? z.object({ orderId: z.string() }).parse(body).orderId;
}

/** An order's steps with their reasons, as `EXPIRED hold-lapsed`. */
export async function stepsOf(pool: Pool, orderId: string): Promise<string[]> {
  const { rows } = await pool.query<{ step: string }>(
    `select concat_ws(' ', to_status, reason) as step from journal where order_id = $1 order by seq`,
    [orderId],
  );
  return rows.map(({ step }) => step);
}

/** The steps of an order's payments, oldest first, as `CAPTURED`. */
export async function paymentStepsOf(pool: Pool, orderId: string): Promise<string[]> {
  const { rows } = await pool.query<{ step: string }>(
    `select concat_ws(' ', j.status, j.reason) as step
     from payments p join payment_journal j using (payment_id)
     where p.order_id = $1 order by p.created_at, j.seq`,
    [orderId],
  );
  return rows.map(({ step }) => step);
}

export async function untilOrderIs(
  pool: Pool,
  orderId: string,
  status: string,
  timeoutMs = 10_000,
): Promise<void> {
  await until(
    `order ${orderId} is ${status}`,
    async () => {
      const { rows } = await pool.query('select from orders where order_id = $1 and status = $2', [
        orderId,
        status,
      ]);
      return rows.length === 1;
    },
    timeoutMs,
  );
}

/** Makes every payment due now, so that the reconciler asks about it. */
export async function letPaymentsBeDue(pool: Pool): Promise<void> {
  await pool.query('update payments set due_at = clock_timestamp() where due_at is not null');
}

/** Waits until no payment is left for the reconciler. */
export async function untilSettled(pool: Pool, timeoutMs = 20_000): Promise<void> {
  const isSettled = async () =>
    (await pool.query('select from payments where due_at is not null limit 1')).rows.length === 0;
  await until('every payment is settled', isSettled, timeoutMs);
}

/** Makes every hold lapse now, as if its time had passed. */
export async function letHoldsLapse(pool: Pool): Promise<void> {
  await pool.query(
    `update orders set expires_at = clock_timestamp() - interval '1 millisecond' where status = 'RESERVED'`,
  );
}

/** Checks that the provider keeps exactly the price of the confirmed orders, and that the audit is clean. */
export async function expectBooksAgree({ pool, totals }: Pick<PaidSale, 'pool' | 'totals'>): Promise<void> {
  const { capturedMinor, refundedMinor } = await totals();
  const { rows } = await pool.query<{ owed: number }>(
    `select coalesce(sum(total_minor), 0)::bigint as owed
     from orders join sales using (sale_id) where orders.status = 'CONFIRMED' and payment = 'required'`,
  );
  expect(capturedMinor - refundedMinor).toBe(rows[0]?.owed);
  await expectCleanAudit(pool);
}
