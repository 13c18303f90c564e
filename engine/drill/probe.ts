import { request } from 'node:http';
import { z } from 'zod';
import { epochKey } from '../dist/admission/gate/redis-scripts.js';
import { messageOf } from '../dist/platform/errors.js';
import { apiProcesses, type Cluster, credentials } from './cluster.js';
import type { Fault } from './faults.js';
import { until } from './until.js';

/** A sale beside the one that is loaded, in which the drill buys to see whether all goes well again. */
export type Probe = {
  /** Waits until purchases and queued orders end as they should, and the gate is vouched for. @returns after how many ms. */
  untilRecovered(fault: Fault): Promise<number>;
  /** Waits until every API process and Redis see the stock as the ledger does. @returns after how many ms. */
  untilGateAgrees(): Promise<number>;
};

/** Within this the gate agrees with the ledger; docs/operate.md promises it. */
export const gateAgreesWithinMs = 10_000;
const recoveredWithinMs = 60_000;
// The engine decides or refuses within 2 s; a connection that a killed process took with it is never answered.
const answerTimeoutMs = 3000;
// One that was accepted while the queue was down waits for the scheduler. This asks for those that are accepted now.
const decidedWithinMs = 2000;

const idSchema = z.object({ id: z.number() });
const acceptedSchema = z.object({ order_id: z.string() });
const orderSchema = z.object({ status: z.string() });
const auditSchema = z.object({
  invariants: z.array(z.object({ id: z.number(), violations: z.number() })),
});

export async function openProbe(cluster: Cluster): Promise<Probe> {
  const { url } = cluster;
  const productId = await createProbeSale(url);
  let shopper = 0;

  async function buys(): Promise<boolean> {
    const userId = `probe-${shopper++}`;
    const bought = await call(url, 'POST', '/api/purchase', { productId, userId });
    return bought.status === 200;
  }

  async function decidesQueued(): Promise<boolean> {
    const userId = `probe-${shopper++}`;
    const accepted = await call(url, 'POST', '/api/orders', { productId, userId });
    if (accepted.status !== 202) return false;
    const { order_id: orderId } = acceptedSchema.parse(accepted.body);
    await until(
      'the queued order is decided',
      async () => {
        const { status, body } = await call(url, 'GET', `/api/orders/${orderId}`, undefined, userId);
        return status === 200 && orderSchema.parse(body).status === 'CONFIRMED';
      },
      decidedWithinMs,
    );
    return true;
  }

  async function isWell(fault: Fault): Promise<boolean> {
    if (fault.isHealed && !fault.isHealed(cluster)) return false;
    return (await cluster.redis.client.exists(epochKey)) === 1 && (await buys()) && (await decidesQueued());
  }

  // One connection a question: those are dealt out to the processes in turn.
  async function gateAgrees(): Promise<boolean> {
    for (let asked = 0; asked < 2 * apiProcesses; asked++) {
      const { status, body } = await call(url, 'GET', '/api/admin/audit');
      if (status !== 200) return false;
      const { invariants } = auditSchema.parse(body);
      if (invariants.find(({ id }) => id === 14)?.violations !== 0) return false;
    }
    return true;
  }

  return {
    untilRecovered: fault => untilTrue('purchases go well again', () => isWell(fault), recoveredWithinMs),
    untilGateAgrees: () => untilTrue('the gate agrees with the ledger', gateAgrees, gateAgreesWithinMs),
  };
}

async function createProbeSale(url: string): Promise<number> {
  const product = { name: 'Probe', priceMinor: 100, currency: 'EUR' };
  const { id: productId } = idSchema.parse((await call(url, 'POST', '/api/admin/products', product)).body);
  const at = (offsetMs: number) => new Date(Date.now() + offsetMs).toISOString();
  const window = { startsAt: at(-60_000), endsAt: at(86_400_000) };
  await call(url, 'POST', '/api/admin/sales', {
    productId,
    ...window,
    allocation: 1_000_000,
    perUserLimit: 1,
  });
  return productId;
}

/** While a server is down there is no answer, and that is an answer: not yet. @returns after how many ms it was true. */
async function untilTrue(what: string, check: () => Promise<boolean>, timeoutMs: number): Promise<number> {
  const startedAtMs = performance.now();
  let reason = '';
  const isTrue = () =>
    check().catch((error: unknown) => {
      reason = `; at last: ${messageOf(error)}`;
      return false;
    });
  await until(what, isTrue, timeoutMs).catch((error: unknown) => {
    throw new Error(`${messageOf(error)}${reason}`);
  });
  return performance.now() - startedAtMs;
}

function call(
  url: string,
  method: string,
  path: string,
  body?: object,
  userId?: string,
): Promise<{ status: number; body: unknown }> {
  const token = path.startsWith('/api/admin') ? credentials.OPERATOR_TOKEN : credentials.API_KEY;
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body && { 'content-type': 'application/json' }),
    ...(userId && { 'x-user-id': userId }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}${path}`,
      { method, headers, agent: false, timeout: answerTimeoutMs },
      answer => {
        let text = '';
        answer.on('data', chunk => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) }));
        answer.on('error', reject);
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${path} was not answered`)));
    sent.on('error', reject);
    sent.end(body && JSON.stringify(body));
  });
}
