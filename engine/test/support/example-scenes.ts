import { createProduct } from '../../src/catalog/products.js';
import { startTestApi } from './api.js';
import { until } from './condition.js';
import { createTestDatabase } from './database.js';
import {
  createSend,
  type ExampleReport,
  operatorHeaders,
  secretsOfExamples,
  startForExamples,
} from './example-engine.js';
import { startFaultProxy } from './fault-proxy.js';
import { startPaidShop } from './paid-shop.js';
import { createTestSale } from './sale.js';

/** Each makes some calls of the API in the order in which their examples tell one story. */
export const exampleScenes = [sell, operate, rehearse, payLate, failForGood, loseTheDatabase];

/** What shoppers do in a shop with one drop, from the first look to the end. */
async function sell(report: ExampleReport): Promise<void> {
  const { api, pool } = await startForExamples();
  const send = createSend(api.url, report);
  for (const name of ['getLiveness', 'getHealth', 'getReadiness', 'checkUserIds']) await send(name);
  for (const name of ['allocateUserId', 'allocateUserIds', 'startSession']) await send(name);
  for (const name of ['createProduct', 'createSale', 'receivePaymentEvent']) await send(name);
  const asking = { challenge: 1000, requiresToken: true, startsInMs: 3_600_000, endsInMs: 7_200_000 };
  await createTestSale(pool, asking);
  await send('listProducts', { query: '?limit=1' });
  await send('getProduct', { path: { id: 1 } });
  await send('precheck', { query: '?productId=1' });
  for (const name of ['getChallenge', 'getPurchaseToken']) await send(name, { query: '?productId=2' });

  const { order } = await send('purchase');
  const path = { id: order?.id ?? '' };
  for (const name of ['getStock', 'followStock']) await send(name, { path: { productId: 1 } });
  for (const name of ['getOrder', 'followOrder']) await send(name, { path });
  await send('followOrder', { path, headers: { 'last-event-id': '1' } });
  for (const name of ['listOrders', 'listAttempts', 'getStats', 'audit']) await send(name);
  for (const name of ['findOrders', 'findAttempts', 'countAttempts'])
    await send(name, { query: '?saleId=1' });
  for (const name of ['findOrders', 'findAttempts']) await send(name, { query: '?saleId=1&format=csv' });
  await send('listSales', { query: '?productId=1' });
  await send('getSale', { path: { id: 1 } });
  await send('getProtection', { mode: 'types' });
  await send('followLive', { mode: 'types' });

  // Each is a separate intent, so neither can use the key of the example.
  await send('order', { headers: { 'idempotency-key': 'basket-7002' } });
  const held = await send('checkout', { headers: { 'idempotency-key': 'basket-7003' } });
  await send('cancel', { path: { id: held.order?.id ?? '' } });
  for (const name of ['pauseSale', 'resumeSale', 'endSale']) await send(name, { path: { id: 1 } });
  await send('updateProduct', { path: { id: 1 } });
}

/** What else operators do. */
async function operate(report: ExampleReport): Promise<void> {
  const { api, pool } = await startForExamples({ FAULTS_ENABLED: 'true' });
  const send = createSend(api.url, report);
  for (const name of ['createWebhook', 'listWebhooks']) await send(name);
  const path = { id: 1 };
  for (const name of ['getWebhook', 'testWebhook', 'listDeliveries']) await send(name, { path });
  await send('replayDelivery', { path: { ...path, deliveryId: 1 } });
  for (const name of ['replayFailedDeliveries', 'updateWebhook', 'rotateWebhookSecret'])
    await send(name, { path });
  await send('listActions', { query: '?limit=1' });
  await send('deleteWebhook', { path });

  for (const name of ['setFault', 'listFaults', 'clearFaults']) await send(name);

  const { cookies, session } = await send('signIn');
  const cookie = cookies[0]?.split(';')[0] ?? '';
  await send('whoAmI', { headers: { cookie, authorization: '' } });
  await send('listSessions');
  await send('signOut', { headers: { cookie, authorization: '', origin: api.url } });
  await send('revokeSession', { path: { id: (await send('signIn')).session?.id ?? session?.id ?? '' } });

  for (const name of ['First', 'Second', 'Third'])
    await createProduct(pool, { name, priceMinor: 8900, currency: 'EUR' });
  await api.request('POST', '/api/admin/sales', { headers: operatorHeaders, body: hourly });
  await send('listSeries');
  await send('endSeries', { path });
}

const hourly = {
  productId: 3,
  startsAt: '2036-06-01T00:00:00Z',
  endsAt: '2036-06-01T01:00:00Z',
  allocation: 10_000,
  perUserLimit: 10,
  prizeOdds: 100,
  recurrence: { cron: '0 * * * *', timeZone: 'Europe/Berlin' },
};

async function rehearse(report: ExampleReport): Promise<void> {
  const { api } = await startForExamples();
  const send = createSend(api.url, report);
  const begun = await send('startRehearsal');
  await send('listRehearsals', { mode: 'types' });
  const path = { id: begun.id ?? '' };
  await until('the rehearsal is over', async () => {
    const { body } = await api.request('GET', `/api/admin/rehearsals/${path.id}`, {
      headers: operatorHeaders,
    });
    return body.status !== 'running';
  });
  for (const name of ['getRehearsal', 'stopRehearsal']) await send(name, { path, mode: 'types' });
}

/** A purchase whose payment provider does not answer in time. */
async function payLate(report: ExampleReport): Promise<void> {
  const { url, pool } = await createTestDatabase();
  const { api, behave } = await startPaidShop(url, { roles: ['api'], env: { PAYMENT_TIMEOUT_MS: '100' } });
  await createProduct(pool, { name: 'Meridian trainers', priceMinor: 12_900, currency: 'EUR' });
  const sale = { ...hourly, productId: 1, startsAt: '2026-01-01T00:00:00Z', payment: 'required' };
  const { recurrence: _, prizeOdds: __, ...terms } = sale;
  await api.asOperator('POST', '/api/admin/sales', terms);
  await behave({ mode: 'hang' });
  await createSend(api.url, report)('purchase');
}

/** An order that the queue gives up on. */
async function failForGood(report: ExampleReport): Promise<void> {
  const { url, pool } = await createTestDatabase();
  const { productId } = await createTestSale(pool, { allocation: 10_000 });
  const api = await startTestApi(
    url,
    { FAULTS_ENABLED: 'true' },
    { secrets: secretsOfExamples, roles: ['api', 'worker', 'compensator'] },
  );
  const body = { productId, quantity: 2, userId: 'dave', forceFail: true };
  await api.request('POST', '/api/orders', { body });
  await until('its order has ended', async () => {
    const { rows } = await pool.query(`select from dead_letters where status = 'COMPENSATED'`);
    return rows.length === 1;
  });
  const send = createSend(api.url, report);
  await send('listDeadLetters');
  for (const name of ['getDeadLetter', 'replayDeadLetter', 'discardDeadLetter'])
    await send(name, { path: { id: 1 } });
}

async function loseTheDatabase(report: ExampleReport): Promise<void> {
  const { url } = await createTestDatabase();
  const proxy = await startFaultProxy(url);
  const api = await startTestApi(proxy.url);
  proxy.close();
  await until('it is unhealthy', async () => (await api.request('GET', '/api/health')).status === 503);
  await createSend(api.url, report)('getHealth');
}
