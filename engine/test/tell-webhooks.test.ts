import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sleep } from '../src/platform/backoff.js';
import { runOnce } from '../src/platform/jobs/run-jobs.js';
import type { Pool } from '../src/platform/postgres.js';
import { createRehearsal } from '../src/rehearsals/rehearsal.js';
import { createEndpoint, deleteEndpoint, webhookEventTypes } from '../src/webhooks/endpoints.js';
import { createSeal } from '../src/webhooks/seal.js';
import { createSweep } from '../src/webhooks/sweep.js';
import { createTellWebhooks } from '../src/webhooks/tell.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { createPrintedRandom } from './support/random.js';
import { createTestSale } from './support/sale.js';

const seal = createSeal('a-test-secret-key');

async function startRelay(pendingMax = 100_000) {
  const { pool } = await createTestDatabase();
  const endpoint = await createEndpoint(pool, seal, {
    url: 'https://shop.example/',
    description: '',
    events: [...webhookEventTypes],
  });
  if (!endpoint) throw new Error('no endpoint');
  const run = createTellWebhooks({ pool, pendingMax });
  const relay = async () => (await runOnce(run)).count;
  return { pool, endpointId: endpoint.endpoint.endpointId, relay };
}

/** One purchase, decided in a transaction that stays open. @returns what commits it. */
async function decideOpen(
  pool: Pool,
  saleId: number,
  orderId: string = randomUUID(),
): Promise<() => Promise<void>> {
  const client = await pool.connect();
  await client.query('begin');
  await client.query(decide, [saleId, [orderId], [`buyer-${orderId}`], [1], [0]]);
  return async () => {
    await client.query('commit');
    client.release();
  };
}
const decide = 'select outcomes from decide($1, $2, $3, $4, $5, null, null)';

async function confirmed(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ subject: string }>(
    `select subject from webhook_events where type = 'order.confirmed' order by position`,
  );
  return rows.map(({ subject }) => subject);
}

/** Repeats until nothing more is read: other users of the server may have a transaction open for a moment. */
async function relayUntil(
  relay: () => Promise<number>,
  what: string,
  check: () => Promise<boolean>,
): Promise<void> {
  await until(what, async () => {
    await relay();
    return check();
  });
}

describe('the relay', () => {
  it('misses no row of a transaction that commits after a younger one', async () => {
    const { pool, relay } = await startRelay();
    const [slow, quick] = [await createTestSale(pool), await createTestSale(pool)];
    const [late, early] = [randomUUID(), randomUUID()];
    const commitLate = await decideOpen(pool, slow.saleId, late);
    await (await decideOpen(pool, quick.saleId, early))();
    for (let n = 0; n < 3; n++) await relay();

    // By time, or by a serial number, the row that is not there yet comes first: a cursor past the other would skip
    // it.
    const { rows } = await pool.query('select order_id from journal order by at');
    expect(rows).toEqual([{ order_id: early }]);
    expect(await confirmed(pool)).toEqual([]);
    await commitLate();
    await relayUntil(relay, 'both are sent', async () => (await confirmed(pool)).length === 2);
    const { rows: written } = await pool.query('select order_id from journal order by at');
    expect(written).toEqual([{ order_id: late }, { order_id: early }]);
    expect((await confirmed(pool)).sort()).toEqual([late, early].sort());
  });

  it('sends each order once, with two relays at once, in whatever order transactions commit', async () => {
    const { pool, relay } = await startRelay();
    const sales = await Promise.all(Array.from({ length: 5 }, () => createTestSale(pool)));
    const random = createPrintedRandom('commits in any order');
    const orderIds: string[] = [];
    let isDone = false;
    const relaying = [1, 2].map(async () => {
      while (!isDone) await relay();
    });
    await Promise.all(
      sales.map(async ({ saleId }) => {
        for (let n = 0; n < 12; n++) {
          const orderId = randomUUID();
          orderIds.push(orderId);
          const commit = await decideOpen(pool, saleId, orderId);
          await sleep(random.below(20));
          await commit();
        }
      }),
    );
    await until('all are sent', async () => (await confirmed(pool)).length >= orderIds.length);
    isDone = true;
    await Promise.all(relaying);
    expect((await confirmed(pool)).sort()).toEqual(orderIds.sort());
    const { rows } = await pool.query('select count(*) from webhook_deliveries');
    expect(rows).toEqual([{ count: orderIds.length }]);
  });

  it('sends a refund and a sold-out sale, and continues after a dump is restored on another cluster', async () => {
    const { pool, relay } = await startRelay();
    const { saleId } = await createTestSale(pool, { allocation: 1 });
    const orderId = randomUUID();
    await (await decideOpen(pool, saleId, orderId))();
    await relayUntil(relay, 'it is sent', async () => (await confirmed(pool)).length === 1);
    // A number that this cluster has never reached; rows already sent are read again, and recognised.
    await pool.query(`update webhook_cursor set below = '99999999999', mark = '99999999999'`);
    await pool.query(
      `insert into journal (sale_id, order_id, seq, from_status, to_status, quantity, reason, at)
       values ($1, $2, 2, 'CANCELLED', 'REFUNDED', 1, 'late-payment-sold-out', clock_timestamp())`,
      [saleId, orderId],
    );
    const types = async () => (await pool.query('select type, data from webhook_events order by type')).rows;
    await relayUntil(relay, 'all is sent', async () => (await types()).length === 3);
    expect(await types()).toMatchObject([
      {
        type: 'order.confirmed',
        data: { orderId, saleId, quantity: 1, totalPriceMinor: 1999, currency: 'EUR' },
      },
      { type: 'order.refunded', data: { orderId, reason: 'late-payment-sold-out' } },
      { type: 'sale.sold_out', data: { saleId, allocation: 1 } },
    ]);
    const { rows } = await pool.query<{ below: string }>('select below::text from webhook_cursor');
    expect(Number(rows[0]?.below)).toBeLessThan(99999999999);
  });

  it('does not start with all past sales when the first webhook is created', async () => {
    const { pool } = await createTestDatabase();
    const sale = await createTestSale(pool);
    const buy = async () => {
      const orderId = randomUUID();
      await (await decideOpen(pool, sale.saleId, orderId))();
      return orderId;
    };
    await buy();
    await until('all past sales are skipped', async () => {
      await runOnce(createTellWebhooks({ pool, pendingMax: 100 }));
      const { rows } = await pool.query<{ isPassed: boolean }>(
        `select below::text::bigint > (select max(xmin::text::bigint) from journal) as "isPassed" from webhook_cursor`,
      );
      return rows[0]?.isPassed;
    });
    const endpoint = { url: 'https://shop.example/', description: '', events: [...webhookEventTypes] };
    await createEndpoint(pool, seal, endpoint);
    const heard = await buy();

    const relay = async () => (await runOnce(createTellWebhooks({ pool, pendingMax: 100 }))).count;
    await relayUntil(relay, 'what was sold since is sent', async () => (await confirmed(pool)).length > 0);
    expect(await confirmed(pool)).toEqual([heard]);
  });

  it('sends nothing about a rehearsal, whose sale is hidden', async () => {
    const { pool, relay } = await startRelay();
    const terms = { allocation: 1, shoppers: 1, ratePerSecond: 1, seconds: 1 };
    const rehearsed = await createRehearsal(pool, { ...terms, operator: 'ann' });
    if (rehearsed.outcome !== 'created') throw new Error('no rehearsal');
    await (await decideOpen(pool, rehearsed.saleId))();
    const { saleId } = await createTestSale(pool, { allocation: 1 });
    await (await decideOpen(pool, saleId))();
    await relayUntil(relay, 'the sale is sent', async () => (await confirmed(pool)).length > 0);
    const { rows } = await pool.query<{ sale: number }>(
      `select distinct (data ->> 'saleId')::int as sale from webhook_events`,
    );
    expect(rows).toEqual([{ sale: saleId }]);
  });

  it('limits the events that wait for an endpoint, and deletes old ones and those of a deleted endpoint', async () => {
    const { pool, relay, endpointId } = await startRelay(3);
    const { saleId } = await createTestSale(pool);
    for (let n = 0; n < 5; n++) await (await decideOpen(pool, saleId))();
    await relayUntil(relay, 'all are sent', async () => (await confirmed(pool)).length === 5);
    const states = async () =>
      (await pool.query('select status, count(*) from webhook_deliveries group by status order by status'))
        .rows;
    expect(await states()).toEqual([
      { status: 'failed', count: 2 },
      { status: 'pending', count: 3 },
    ]);

    const run = createSweep({ pool, retentionDays: 7, eventsMax: 1000 });
    const sweep = async () => (await runOnce(run)).count;
    expect(await sweep()).toBe(0);
    await pool.query(`update webhook_events set created_at = now() - interval '8 days'`);
    await sweep();
    expect(await states()).toEqual([{ status: 'pending', count: 3 }]);
    await deleteEndpoint(pool, endpointId);
    await until('all are gone', async () => (await sweep()) === 0);
    const { rows } = await pool.query('select from webhook_events union all select from webhook_endpoints');
    expect(rows).toEqual([]);
  });
});
