import { expect } from 'vitest';
import type { Pool } from '../../src/platform/postgres.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { expectCleanAudit } from '../support/audit.js';
import { apiKey, operatorToken } from '../support/config.js';
import { createTestDatabase } from '../support/database.js';
import { createTestSale } from '../support/sale.js';
import { createShopper, heldBy } from '../support/shopper.js';
import type { Row, Sender } from './row.js';
import { createSend, type RawAnswer, slugOf } from './send.js';

export type Shop = {
  api: TestApi;
  pool: Pool;
  send(row: Row): Promise<RawAnswer>;
  /** Everything that a request could have changed. */
  footprint(): Promise<unknown>;
  close(): void;
};

/** A shop with sold, held, paid and ended orders, so that there is something to change. */
export async function openShop(identity: 'demo' | 'trusted'): Promise<Shop> {
  const { url, pool } = await createTestDatabase();
  const [onSale, open, upcoming] = [
    await createTestSale(pool),
    await createTestSale(pool),
    await createTestSale(pool, { startsInMs: 3_600_000, endsInMs: 7_200_000 }),
  ];
  const api = await startTestApi(url, { IDENTITY: identity });
  const owner = createShopper(api, 'owner');
  const used = heldBy(await owner.checkout(onSale.productId));
  const held = heldBy(await owner.checkout(onSale.productId));
  const lapsed = heldBy(await owner.checkout(onSale.productId));
  expect((await owner.redeem(used.code, { key: 'paid' })).status).toBe(200);
  expect((await owner.purchase(onSale.productId, { key: 'used' })).status).toBe(200);
  await pool.query(
    `update orders set expires_at = clock_timestamp() - interval '1 second' where order_id = $1`,
    [lapsed.orderId],
  );
  const names: Record<string, string> = {
    $UPCOMING: String(upcoming.productId),
    $OPEN: String(open.productId),
    $P: String(onSale.productId),
    $S: String(onSale.saleId),
    $ORDER: held.orderId,
    $CODE: held.code,
    $USED: used.code,
    $EXPIRED: lapsed.code,
  };
  const { send, close } = createSend(api.url, 1);
  const tokens = {
    shop: apiKey,
    operator: operatorToken,
    shopper: await sessionToken(api),
    nobody: undefined,
  };
  return {
    api,
    pool,
    close,
    send: row => send(requestOf(row, names, tokens)),
    footprint: () => footprintOf(pool),
  };
}

/** What is wrong with the answer to a row; empty if it is the expected problem and reveals no internals. */
export function faultsOf(row: Row, answer: RawAnswer): string[] {
  const { status, text, headers } = answer;
  // A HEAD has no body to name it.
  const slug = row.method === 'HEAD' ? row.slug : slugOf(answer);
  const type = headers['content-type'] ?? 'no type';
  return [
    ...(status === row.status && slug === row.slug ? [] : [`${status} ${slug}: ${text}`]),
    ...(type.startsWith('application/problem+json') ? [] : [type]),
    ...(/node_modules|\.[jt]s:\d+|select |postgres/i.test(text) ? [`reveals internals: ${text}`] : []),
    ...(status !== 405 || /^[A-Z]+(, [A-Z]+)*$/.test(headers.allow ?? '') ? [] : ['no Allow']),
  ];
}

/** What must hold after the last bad request: the audit is clean, and the next good purchase is served. */
export async function expectUnharmed({ api, pool }: Shop): Promise<void> {
  await expectCleanAudit(pool);
  const { productId } = await createTestSale(pool);
  expect(await api.purchase({ productId, userId: 'good' })).toMatchObject({ status: 200 });
}

async function sessionToken(api: TestApi): Promise<string> {
  const { body, status } = await api.request('POST', '/api/session', { headers: {} });
  return status === 201 ? String(body.token) : `1.${'A'.repeat(43)}`;
}

function requestOf(
  { method, path, body, type = 'application/json', headers, sender }: Row,
  names: Readonly<Record<string, string>>,
  tokens: Readonly<Record<Sender, string | undefined>>,
) {
  const token = tokens[sender];
  const named = typeof body === 'string' ? withNames(body, names) : body;
  return {
    method,
    path: withNames(path, names),
    body: named,
    headers: {
      ...(body === undefined || type === null ? {} : { 'content-type': type }),
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(named ?? '')) }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
  };
}

function withNames(text: string, names: Readonly<Record<string, string>>): string {
  return text.includes('$') ? text.replace(/\$[A-Z]+/g, name => names[name] ?? name) : text;
}

async function footprintOf(pool: Pool): Promise<unknown> {
  const { rows } = await pool.query(
    `select (select json_agg(stock order by sale_id) from stock) as stock,
            (select json_agg(json_build_array(order_id, status, seq) order by order_id) from orders) as orders,
            (select json_agg(json_build_array(sale_id, status) order by sale_id) from sales) as sales,
            (select count(*) from products) as products,
            (select count(*) from payments) as payments`,
  );
  return rows[0];
}
