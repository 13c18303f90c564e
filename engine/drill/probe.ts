import { z } from 'zod';
import { epochKey, stockKey } from '../dist/admission/gate/redis-scripts.js';
import { messageOf } from '../dist/platform/errors.js';
import { call } from './call.js';
import { apiProcesses, type Cluster } from './cluster.js';
import { until } from './until.js';

/** A sale beside the one that is loaded, in which the drill buys to see whether all goes well again. */
export type Probe = {
  /** Waits until a purchase goes well. @returns after how many ms. */
  untilBuys(): Promise<number>;
  /** Waits until purchases and queued orders end as they should, and the gate is vouched for. @returns after how many ms. */
  untilRecovered(isHealed?: (cluster: Cluster) => boolean): Promise<number>;
  /** Waits until every API process and Redis see the stock of a sale as the ledger does. @returns after how many ms. */
  untilGateAgrees(saleId: number): Promise<number>;
};

/** Within this the gate agrees with the ledger; docs/servers.md promises it. */
const gateAgreesWithinMs = 10_000;
const recoveredWithinMs = 60_000;
// One that was accepted while the queue was down waits for the scheduler. This asks for those that are accepted now.
const decidedWithinMs = 2000;

const idSchema = z.object({ id: z.number() });
const acceptedSchema = z.object({ order_id: z.string() });
const orderSchema = z.object({ status: z.string() });
const stockSchema = z.object({ saleId: z.number(), stock: z.number(), sold: z.number() });

export async function openProbe(cluster: Cluster): Promise<Probe> {
  const { url } = cluster;
  const productId = await createProbeSale(url);
  let shopper = 0;

  async function buys(): Promise<boolean> {
    const userId = `probe-${shopper++}`;
    const bought = await call(url, 'POST', '/api/purchase', { body: { productId, userId } });
    return bought.status === 200;
  }

  async function decidesQueued(): Promise<boolean> {
    const userId = `probe-${shopper++}`;
    const accepted = await call(url, 'POST', '/api/orders', { body: { productId, userId } });
    if (accepted.status !== 202) return false;
    const { order_id: orderId } = acceptedSchema.parse(accepted.body);
    await until(
      'the queued order is decided',
      async () => {
        const { status, body } = await call(url, 'GET', `/api/orders/${orderId}`, { userId });
        return status === 200 && orderSchema.parse(body).status === 'CONFIRMED';
      },
      decidedWithinMs,
    );
    return true;
  }

  async function isWell(isHealed: (cluster: Cluster) => boolean): Promise<boolean> {
    if (!isHealed(cluster)) return false;
    return (await cluster.redis.client.exists(epochKey)) === 1 && (await buys()) && (await decidesQueued());
  }

  // One connection a question: those are dealt out to the processes in turn.
  async function gateAgrees(saleId: number): Promise<boolean> {
    const ledger = await readLedger(cluster, saleId);
    for (let asked = 0; asked < 2 * apiProcesses; asked++) {
      const { body } = await call(url, 'GET', `/api/stock/${ledger.productId}`);
      const seen = stockSchema.parse(body);
      if (seen.saleId !== saleId || seen.stock !== ledger.available || seen.sold !== ledger.sold)
        return false;
    }
    const epoch = await cluster.redis.client.get(epochKey);
    // What nobody vouches for, or is not known there, refuses nobody.
    const known = epoch && (await cluster.redis.client.hget(stockKey(epoch, saleId), 'available'));
    return known === null || Number(known) === ledger.available;
  }

  return {
    untilBuys: () => untilTrue('a purchase goes well', buys, recoveredWithinMs),
    untilRecovered: (isHealed = () => true) =>
      untilTrue('purchases go well again', () => isWell(isHealed), recoveredWithinMs),
    untilGateAgrees: saleId =>
      untilTrue('the gate agrees with the ledger', () => gateAgrees(saleId), gateAgreesWithinMs),
  };
}

async function readLedger(
  { pool }: Cluster,
  saleId: number,
): Promise<{ productId: number; available: number; sold: number }> {
  const { rows } = await pool.query<{ productId: number; available: number; sold: number }>(
    'select product_id as "productId", available, sold from stock join sales using (sale_id) where sale_id = $1',
    [saleId],
  );
  const [ledger] = rows;
  if (!ledger) throw new Error(`sale ${saleId} has no stock row`);
  return ledger;
}

async function createProbeSale(url: string): Promise<number> {
  const product = { name: 'Probe', priceMinor: 100, currency: 'EUR' };
  const { id: productId } = idSchema.parse(
    (await call(url, 'POST', '/api/admin/products', { body: product })).body,
  );
  const at = (offsetMs: number) => new Date(Date.now() + offsetMs).toISOString();
  const window = { startsAt: at(-60_000), endsAt: at(86_400_000) };
  await call(url, 'POST', '/api/admin/sales', {
    body: { productId, ...window, allocation: 1_000_000, perUserLimit: 1 },
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
