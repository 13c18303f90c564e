import { expect, it } from 'vitest';
import { startTestApi } from './support/api.js';
import { until } from './support/condition.js';
import { secrets } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { startRoleProcess } from './support/engine.js';
import { startTestRoles } from './support/roles.js';
import { createTestSale } from './support/sale.js';
import { startWebhookReceiver } from './support/webhook-receiver.js';
import { createWebhook, deliveriesOf, idOf, quickly, readWebhook, verify } from './support/webhooks.js';

/** An API, a scheduler if requested, and a receiver of all events. */
async function startShop({
  env = {},
  isScheduled = true,
}: {
  env?: Record<string, string>;
  isScheduled?: boolean;
} = {}) {
  const { url, pool } = await createTestDatabase();
  const settings = { ...quickly, ...env };
  const api = await startTestApi(url, settings);
  const receiver = await startWebhookReceiver();
  const webhook = await createWebhook(api, receiver.url);
  const roles = isScheduled ? await startTestRoles(url, ['scheduler'], settings) : undefined;
  return { url, pool, api, receiver, webhook, roles };
}

it('a receiver that fails for a while gets each event once it is back, with valid signatures', async () => {
  const { pool, api, receiver, webhook } = await startShop();
  receiver.failNext(Number.POSITIVE_INFINITY);
  const { productId } = await createTestSale(pool, { allocation: 5 });
  for (let n = 0; n < 5; n++) await api.purchase({ productId, userId: `buyer-${n}` });

  // Five orders, the sale's opening, and its end; the receiver refuses each more than once.
  const timesOf = () => {
    const ids = new Set(receiver.received.map(idOf));
    return [...ids].map(id => receiver.received.filter(hook => idOf(hook) === id));
  };
  await until('each event has failed twice', () => {
    const times = timesOf();
    return times.length === 7 && times.every(({ length }) => length >= 2);
  });
  const refused = receiver.received.length;
  receiver.failNext(0);
  await until('all are delivered', async () =>
    (await deliveriesOf(api, webhook.id)).every(({ status }) => status === 'delivered'),
  );

  const taken = receiver.received.slice(refused);
  expect(new Set(taken.map(idOf)).size).toBe(7);
  expect(taken).toHaveLength(7);
  const types = receiver.received.map(hook => verify(webhook.secret, hook).type);
  expect([...new Set(types)].sort()).toEqual(['order.confirmed', 'sale.opened', 'sale.sold_out']);
  // Every try of an event has the same content.
  for (const tries of timesOf()) expect(new Set(tries.map(({ rawBody }) => String(rawBody))).size).toBe(1);
  // With another secret, or another body, the signature is invalid.
  const [first] = taken;
  if (!first) throw new Error('nothing was received');
  expect(() => verify(`whsec_${Buffer.from('another secret').toString('base64')}`, first)).toThrow();
  expect(() => verify(webhook.secret, { ...first, rawBody: Buffer.from('{}') })).toThrow();
});

it('a scheduler killed with deliveries in hand loses none of them', async () => {
  const { url, pool, api, receiver, webhook } = await startShop({ isScheduled: false });
  const { productId } = await createTestSale(pool, { allocation: 50 });
  for (let n = 0; n < 12; n++) await api.purchase({ productId, userId: `buyer-${n}` });
  receiver.hang(true);
  const killed = await startRoleProcess('scheduler', url, quickly);
  await until('it has some in hand', () => receiver.received.length > 0);
  await killed.kill('SIGKILL');
  receiver.hang(false);

  await startTestRoles(url, ['scheduler'], quickly);
  await until('all are delivered', async () => {
    const deliveries = await deliveriesOf(api, webhook.id);
    return deliveries.length === 13 && deliveries.every(({ status }) => status === 'delivered');
  });
  expect(new Set(receiver.received.map(idOf)).size).toBe(13);
});

it('during a rotation both secrets sign, and the previous one expires when the rotation ends', async () => {
  const { api, receiver, webhook } = await startShop();
  const path = `/api/admin/webhooks/${webhook.id}`;
  const rotated = await api.asOperator('POST', `${path}/rotate`, { overlapSeconds: 3600 });
  const secret = String(rotated.body.secret);
  const next = async () => {
    receiver.received.splice(0);
    await api.asOperator('POST', `${path}/test`);
    return until('it arrives', () => receiver.received[0]);
  };

  const both = await next();
  expect(verify(secret, both).type).toBe('webhook.test');
  expect(verify(webhook.secret, both).type).toBe('webhook.test');

  const last = await api.asOperator('POST', `${path}/rotate`, { overlapSeconds: 0 });
  const one = await next();
  expect(verify(String(last.body.secret), one).type).toBe('webhook.test');
  expect(() => verify(secret, one)).toThrow();
});

it('a receiver that never succeeds is disabled, its events wait, and enabling it sends them', async () => {
  const { pool, api, receiver, webhook } = await startShop({ env: { WEBHOOK_DISABLE_AFTER_MS: '300' } });
  receiver.failNext(Number.POSITIVE_INFINITY);
  await api.asOperator('POST', `/api/admin/webhooks/${webhook.id}/test`);
  const disabled = await until('it is disabled', async () => {
    const read = await readWebhook(api, webhook.id);
    return read.status === 'disabled' ? read : undefined;
  });
  expect(disabled.disabledReason).toBe('failing');
  expect((await api.asOperator('POST', `/api/admin/webhooks/${webhook.id}/test`)).slug).toBe(
    'webhook-disabled',
  );

  await createTestSale(pool);
  await until(
    'the opening waits',
    async () => (await deliveriesOf(api, webhook.id, 'status=pending')).length === 2,
  );
  receiver.failNext(0);
  await api.asOperator('PATCH', `/api/admin/webhooks/${webhook.id}`, { enabled: true });
  await until(
    'all is sent',
    async () => (await deliveriesOf(api, webhook.id, 'status=delivered')).length === 2,
  );
  expect(await readWebhook(api, webhook.id)).toMatchObject({ status: 'enabled', failingSince: null });
});

it('a delivery ends after its last try; an operator can resend it alone, or with all failed ones', async () => {
  const { api, receiver, webhook } = await startShop({ env: { WEBHOOK_TRIES_MAX: '2' } });
  const path = `/api/admin/webhooks/${webhook.id}`;
  receiver.failNext(4);
  for (let n = 0; n < 2; n++) await api.asOperator('POST', `${path}/test`);
  const failed = await until('both have failed', async () => {
    const deliveries = await deliveriesOf(api, webhook.id, 'status=failed');
    return deliveries.length === 2 ? deliveries : undefined;
  });
  expect(failed).toMatchObject([
    { tries: 2, lastStatus: 500 },
    { tries: 2, lastStatus: 500 },
  ]);
  expect(receiver.received).toHaveLength(4);

  const one = await api.asOperator('POST', `${path}/deliveries/${failed[0]?.id}/replay`);
  expect(one).toMatchObject({ status: 202, body: { status: 'pending', eventId: failed[0]?.eventId } });
  await until(
    'one is delivered',
    async () => (await deliveriesOf(api, webhook.id, 'status=delivered')).length === 1,
  );
  const many = await api.asOperator('POST', `${path}/replay`, { since: '2026-01-01T00:00:00Z' });
  expect(many.body).toEqual({ replayed: 1, hasMore: false });
  await until(
    'both are delivered',
    async () => (await deliveriesOf(api, webhook.id, 'status=delivered')).length === 2,
  );
  expect(new Set(receiver.received.map(idOf)).size).toBe(2);
  expect((await api.asOperator('POST', `${path}/deliveries/999/replay`)).slug).toBe('delivery-not-found');
});

it('the secret is shown once, and is not in the database; internal addresses and a 21st webhook are refused', async () => {
  const { pool, api, webhook } = await startShop({ isScheduled: false });
  const listed = await api.asOperator('GET', '/api/admin/webhooks');
  expect(JSON.stringify(listed.body)).not.toContain('whsec_');
  const { rows } = await pool.query('select * from webhook_endpoints');
  expect(JSON.stringify(rows)).not.toContain(webhook.secret.slice('whsec_'.length));
  const { rows: actions } = await pool.query('select detail from operator_actions');
  expect(JSON.stringify(actions)).not.toContain(secrets.secretKey);

  for (const url of [
    'https://10.0.0.1/',
    'https://[::ffff:169.254.169.254]/',
    'ftp://shop.example/',
    'nonsense',
  ]) {
    const refused = await api.asOperator('POST', '/api/admin/webhooks', { url, events: ['sale.opened'] });
    expect({ url, ...refused }).toMatchObject({ url, status: 400, slug: 'invalid' });
  }
  for (let n = 1; n < 20; n++) await createWebhook(api, `https://shop.example/${n}`);
  const refused = await api.asOperator('POST', '/api/admin/webhooks', {
    url: 'https://shop.example/21',
    events: ['sale.opened'],
  });
  expect(refused.slug).toBe('too-many-webhooks');

  expect((await api.asOperator('DELETE', `/api/admin/webhooks/${webhook.id}`)).status).toBe(204);
  expect((await api.asOperator('GET', `/api/admin/webhooks/${webhook.id}`)).slug).toBe('webhook-not-found');
  expect((await api.request('GET', '/api/admin/webhooks')).status).toBe(403);
});
