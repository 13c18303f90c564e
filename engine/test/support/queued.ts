import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { z } from 'zod';
import type { Acknowledged } from '../../src/ledger/audit.js';
import { createAcceptBatch } from '../../src/orders/accept-and-publish.js';
import type { Pool } from '../../src/platform/postgres.js';
import type { OrderQueue } from '../../src/queue/order-queue.js';
import { createPostgresQueue } from '../../src/queue/postgres-queue.js';
import { type Answer, serviceHeaders, type TestApi } from './api.js';
import { until } from './condition.js';

export type NewOrder = {
  productId: number;
  userId: string;
  quantity?: number;
  key?: string;
  paymentMethod?: string;
  paymentFingerprint?: string;
  addressKey?: string;
  forceFail?: boolean;
};

const acceptedSchema = z.looseObject({ order_id: z.uuid() });
const orderSchema = z.looseObject({ status: z.string(), reason: z.string().nullable() });

/** POST /api/orders, with any answer. */
export function postOrder(api: TestApi, { key, ...body }: NewOrder): Promise<Answer> {
  const headers = key === undefined ? serviceHeaders : { ...serviceHeaders, 'idempotency-key': key };
  return api.request('POST', '/api/orders', { body, headers });
}

/** @returns the id of an accepted order. */
export async function queueOrder(api: TestApi, order: NewOrder): Promise<string> {
  const { status, body } = await postOrder(api, order);
  expect(status).toBe(202);
  return acceptedSchema.parse(body).order_id;
}

/** The state of an order as its shopper sees it: the status, and the reason if there is one. */
export async function standingOf(api: TestApi, orderId: string, userId: string): Promise<string> {
  const headers = { ...serviceHeaders, 'x-user-id': userId };
  const { body } = await api.request('GET', `/api/orders/${orderId}`, { headers });
  const { status, reason } = orderSchema.parse(body);
  return reason === null ? status : `${status} ${reason}`;
}

/** Waits until no order is in the queue. @returns the state of each order, in the order of the ids. */
export async function decidedStandings(pool: Pool, orderIds: readonly string[]): Promise<string[]> {
  const read = async () => {
    const { rows } = await pool.query<{ standing: string }>(
      `select status || coalesce(' ' || reason, '') as standing
       from unnest($1::uuid[]) with ordinality as asked (order_id, position) join orders using (order_id)
       order by position`,
      [orderIds],
    );
    return rows.map(({ standing }) => standing);
  };
  return until(
    'every order is decided',
    async () => {
      const standings = await read();
      return standings.some(standing => /^(QUEUED|RESERVED)/.test(standing)) ? undefined : standings;
    },
    20_000,
  );
}

/**
 * Accepts that many orders of one unit as an API does, each of another shopper, and publishes them; continues if
 * the queue does not respond.
 *
 * @returns the accepted orders.
 */
export async function acceptOrders(
  pool: Pool,
  saleId: number,
  count: number,
  queue: OrderQueue = createPostgresQueue({ pool }),
): Promise<Acknowledged[]> {
  const accept = createAcceptBatch({ pool, queue, onError: () => {} });
  const accepted: Acknowledged[] = [];
  while (accepted.length < count) {
    const requests = Array.from({ length: Math.min(500, count - accepted.length) }, () => ({
      orderId: randomUUID(),
      shopperId: randomUUID(),
      quantity: 1,
      receivedAtMs: performance.now(),
    }));
    const { decisions } = await accept(saleId, requests);
    expect(decisions.every(({ outcome }) => outcome === 'queued')).toBe(true);
    accepted.push(...requests);
  }
  return accepted;
}
