import { z } from 'zod';
import { epochKey, stockKey } from '../dist/admission/gate/redis-scripts.js';
import { messageOf } from '../dist/platform/errors.js';
import { call } from './call.js';
import { apiProcesses, type Cluster } from './cluster.js';
import { until } from './until.js';

/** A second sale beside the loaded one, in which the drill buys to see whether the engine has recovered. */
export type Probe = {
  /** Waits until a purchase succeeds. @returns after how many ms. */
  untilBuys(): Promise<number>;
  /**
   * Waits until purchases and queued orders end as they should and the gate in Redis is valid. @returns after how many
   * ms.
   */
  untilRecovered(isHealed?: (cluster: Cluster) => boolean): Promise<number>;
  /** Waits until every API process and Redis agree with the ledger on a sale's stock. @returns after how many ms. */
  untilGateAgrees(saleId: number): Promise<number>;
};

/** The time within which the gate agrees with the ledger; docs/servers.md promises it. */
const gateAgreesWithinMs = 10_000;
const recoveredWithinMs = 60_000;
// An order accepted while the queue was down waits for the scheduler. This limit applies to orders accepted now.
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

  // One connection per query: connections are distributed over the processes in turn.
  async function gateAgrees(saleId: number): Promise<boolean> {
    const ledger = await readLedger(cluster, saleId);
    for (let asked = 0; asked < 2 * apiProcesses; asked++) {
      const { body } = await call(url, 'GET', `/api/stock/${ledger.productId}`);
      const seen = stockSchema.parse(body);
      if (seen.saleId !== saleId || seen.stock !== ledger.available || seen.sold !== ledger.sold)
        return false;
    }
    const epoch = await cluster.redis.client.get(epochKey);
    // A gate that is not valid, or does not know the sale, refuses no request.
    const known = epoch && (await cluster.redis.client.hget(stockKey(epoch, saleId), 'available'));
    return known === null || Number(known) === ledger.available;
  }

  return {
    untilBuys: () => untilTrue('a purchase succeeds', buys, recoveredWithinMs),
    untilRecovered: (isHealed = () => true) =>
      untilTrue('purchases succeed again', () => isWell(isHealed), recoveredWithinMs),
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

/** While a server is down there is no answer, which counts as "not yet". @returns after how many ms it was true. */
async function untilTrue(what: string, check: () => Promise<boolean>, timeoutMs: number): Promise<number> {
  const startedAtMs = performance.now();
  let reason = '';
  const isTrue = () =>
    check().catch((error: unknown) => {
      reason = `; last error: ${messageOf(error)}`;
      return false;
    });
  await until(what, isTrue, timeoutMs).catch((error: unknown) => {
    throw new Error(`${messageOf(error)}${reason}`);
  });
  return performance.now() - startedAtMs;
}
