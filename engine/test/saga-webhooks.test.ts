import { describe, expect, it } from 'vitest';
import { sandboxSecrets } from '../src/app/choose-payments.js';
import { sign, signatureHeader } from '../src/payments/sandbox/signature.js';
import type { Answer } from './support/api.js';
import { until } from './support/condition.js';
import { secrets } from './support/config.js';
import {
  buy,
  expectBooksAgree,
  orderIdIn,
  type PaidSale,
  paymentStepsOf,
  startProxiedSale,
  startScheduler,
  stepsOf,
  untilOrderIs,
} from './support/paid-orders.js';
import type { PaidShopOptions } from './support/paid-shop.js';
import type { ProviderProxy } from './support/provider-proxy.js';
import { startWebhookReceiver, type Webhook } from './support/webhook-receiver.js';

const { webhookSecret } = sandboxSecrets(secrets);
const nowSeconds = () => Math.floor(Date.now() / 1000);

describe('a signed webhook', () => {
  it('about a capture confirms the order; six deliveries, five at once, have one effect', async () => {
    const shop = await startUnreconciled();
    const { orderId, captured } = await buyUnheard(shop);

    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => deliver(shop, captured)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(await stepsOf(shop.pool, orderId)).toEqual(['RESERVED', 'CONFIRMED']);
    expect((await deliver(shop, captured)).body).toEqual({ received: true });
    expect(await paymentStepsOf(shop.pool, orderId)).toEqual(['PENDING', 'CAPTURED']);
    await expectBooksAgree(shop);
  });

  it('about a decline changes nothing about a capture, whichever happened first', async () => {
    const shop = await startUnreconciled();
    for (const order of ['declined last', 'declined first']) {
      const { orderId, captured } = await buyUnheard(shop, order);
      const declined = eventOf(captured, { status: 'declined', reference: 'x', reason: 'no funds' });
      const inOrder = order === 'declined last' ? [captured, declined] : [declined, captured];
      for (const webhook of inOrder) expect((await deliver(shop, webhook)).status).toBe(200);
      expect(await paymentStepsOf(shop.pool, orderId)).toEqual(['PENDING', 'CAPTURED']);
      expect(await stepsOf(shop.pool, orderId)).toEqual(['RESERVED', 'CONFIRMED']);
    }
    await expectBooksAgree(shop);
  });

  it.each([
    {
      of: 'another amount',
      charge: { status: 'captured', reference: 'x', amountMinor: 1998, currency: 'EUR' },
    },
    {
      of: 'another currency',
      charge: { status: 'captured', reference: 'x', amountMinor: 1999, currency: 'KWD' },
    },
    { of: 'a decline', charge: { status: 'declined', reference: 'x', reason: 'no funds' } },
    { of: 'a cancellation', charge: { status: 'canceled', reference: null } },
  ])(
    'about $of is not believed: the provider is asked at once, and its answer counts',
    async ({ charge }) => {
      const shop = await startUnreconciled();
      const { pool } = shop;
      const { orderId, captured } = await buyUnheard(shop);
      expect(await isDue(shop, orderId)).toBe(false);

      expect((await deliver(shop, eventOf(captured, charge))).status).toBe(200);
      expect(await stepsOf(pool, orderId)).toEqual(['RESERVED']);
      expect(await isDue(shop, orderId)).toBe(true);

      await shop.behave({ mode: 'ok' });
      await startScheduler(shop);
      await untilOrderIs(pool, orderId, 'CONFIRMED');
      expect(await paymentStepsOf(pool, orderId)).toEqual(['PENDING', 'CAPTURED']);
      await expectBooksAgree(shop);
    },
  );

  it('about a capture is believed even after a decline: the money is refunded, and the order says why', async () => {
    const { shop, receiver } = await startWithReceiver(['api']);
    const { api, pool, productId, proxy } = shop;
    proxy.answerWith(() => ({ status: 200, body: { status: 'declined', reference: null, reason: 'no' } }));
    const refused = await buy(api, { productId, userId: 'a' });
    expect(refused.status).toBe(402);
    proxy.answerWith(() => undefined);
    await repeatCall(proxy);
    const captured = await until('the capture is delivered', () => receiver.received[0]);

    expect((await deliver(shop, captured)).status).toBe(200);
    await startScheduler(shop);
    await untilOrderIs(pool, orderIdIn(refused), 'REFUNDED');
    const last = 'REFUNDED paid-after-cancelled';
    expect((await stepsOf(pool, orderIdIn(refused))).at(-1)).toBe(last);
    expect((await paymentStepsOf(pool, orderIdIn(refused))).at(-1)).toBe(last);
    expect(await shop.totals()).toMatchObject({ captured: 1, refunded: 1 });
    await expectBooksAgree(shop);
  });

  it('does not trigger a retry of a refund that waits for an operator', async () => {
    const { shop, receiver } = await startWithReceiver(['api', 'scheduler', 'compensator']);
    const { api, pool, productId, proxy } = shop;
    proxy.rewrite(({ path, body }) =>
      path === '/charges' ? JSON.stringify({ ...JSON.parse(body), amountMinor: 1998 }) : body,
    );
    const refuse = { status: 403, body: { message: 'never' } };
    proxy.answerWith(({ path }) => (path.endsWith('/refund') ? refuse : undefined));
    const orderId = orderIdIn(await buy(api, { productId, userId: 'a' }));
    const waits = async () =>
      (await pool.query(`select from payments where due_at = 'infinity'`)).rows.length === 1;
    await until('the refund waits for an operator', waits);
    const captured = await until('the capture is delivered', () => receiver.received[0]);

    const declined = eventOf(captured, { status: 'declined', reference: 'x', reason: 'no funds' });
    for (const webhook of [captured, declined]) expect((await deliver(shop, webhook)).status).toBe(200);
    expect(await waits()).toBe(true);
    expect(await paymentStepsOf(pool, orderId)).toEqual(['PENDING', 'REFUND_DUE wrong-amount']);
  });
});

describe('a webhook that is not accepted', () => {
  it('gets 401 without a valid, recent signature, and changes nothing', async () => {
    const shop = await startUnreconciled();
    const { orderId, captured } = await buyUnheard(shop);
    const body = captured.rawBody.toString();
    const signed = (text: string, ageSeconds = 0, secret = webhookSecret) => ({
      [signatureHeader]: sign(text, secret, nowSeconds() - ageSeconds),
    });
    const tries = [
      { body, headers: {} },
      { body, headers: { [signatureHeader]: 'v1=nonsense' } },
      { body, headers: signed(body, 0, 'another-secret') },
      { body, headers: signed(body, 301) },
      // A few seconds more than the limit: time passes while it is on its way.
      { body, headers: signed(body, -310) },
      { body: JSON.stringify(JSON.parse(body), null, 1), headers: signed(body) },
      { body: `${body} `, headers: signed(body) },
      { body: '', headers: signed(body) },
      { body: 'not JSON', headers: {} },
    ];
    for (const { body, headers } of tries) {
      const answer = await post(shop, body, headers);
      expect(answer, JSON.stringify({ body, headers })).toMatchObject({
        status: 401,
        slug: 'not-authenticated',
      });
    }
    expect(await stepsOf(shop.pool, orderId)).toEqual(['RESERVED']);
    expect(await isDue(shop, orderId)).toBe(false);
    expect((await post(shop, body, signed(body, 290))).status).toBe(200);
    expect(await stepsOf(shop.pool, orderId)).toEqual(['RESERVED', 'CONFIRMED']);
  });

  it('gets 200 if it is about an unknown object, and changes nothing', async () => {
    const shop = await startUnreconciled();
    const { orderId, captured } = await buyUnheard(shop);
    const event = JSON.parse(captured.rawBody.toString());
    const bodies = [
      JSON.stringify({ ...event, paymentId: '01234567-89ab-4def-8123-456789abcdef' }),
      JSON.stringify({ ...event, paymentId: 'no-uuid' }),
      JSON.stringify({ ...event, paymentId: 'nul\0' }),
      JSON.stringify({ ...event, charge: { ...event.charge, status: 'disputed' } }),
      JSON.stringify({ ...event, charge: { ...event.charge, amountMinor: -1 } }),
      '{}',
      'null',
      'not JSON',
      '',
    ];
    for (const body of bodies) {
      const headers = { [signatureHeader]: sign(body, webhookSecret, nowSeconds()) };
      expect(await post(shop, body, headers), body).toMatchObject({ status: 200, body: { received: true } });
    }
    expect(await stepsOf(shop.pool, orderId)).toEqual(['RESERVED']);
    expect(await isDue(shop, orderId)).toBe(false);
  });
});

/** A shop that learns of captures only through webhooks: there is no reconciler. */
async function startUnreconciled() {
  const { shop, receiver } = await startWithReceiver(['api']);
  return { ...shop, received: receiver.received };
}

async function startWithReceiver(roles: NonNullable<PaidShopOptions['roles']>) {
  const receiver = await startWebhookReceiver();
  return { receiver, shop: await startProxiedSale({}, { roles, webhookUrl: receiver.url }) };
}

type Unreconciled = Awaited<ReturnType<typeof startUnreconciled>>;

/** Buys while the provider captures and its answers are lost; returns the webhook that it sent. */
async function buyUnheard({ api, behave, productId, received }: Unreconciled, userId = 'a') {
  const before = received.length;
  await behave({ mode: 'lost' });
  const answer = await buy(api, { productId, userId });
  expect(answer.status).toBe(202);
  const captured = await until('the provider has sent it', () => received[before]);
  return { orderId: orderIdIn(answer), captured };
}

/** The same event with another result of the charge, signed as the provider signs. */
function eventOf({ rawBody }: Webhook, charge: object): Webhook {
  const body = JSON.stringify({ ...JSON.parse(rawBody.toString()), charge });
  return {
    rawBody: Buffer.from(body),
    headers: { [signatureHeader]: sign(body, webhookSecret, nowSeconds()) },
  };
}

function deliver(shop: PaidSale, { rawBody, headers }: Webhook): Promise<Answer> {
  return post(shop, rawBody.toString(), { [signatureHeader]: String(headers[signatureHeader]) });
}

function post({ api }: PaidSale, body: string, headers: Record<string, string>): Promise<Answer> {
  return api.request('POST', '/api/webhooks/payments', { body, headers });
}

async function repeatCall({ url, calls }: ProviderProxy): Promise<void> {
  const [call] = calls;
  const { apiKey } = sandboxSecrets(secrets);
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  await fetch(`${url}${call?.path}`, { method: 'POST', headers, body: call?.body ?? '' });
}

async function isDue({ pool }: PaidSale, orderId: string): Promise<boolean> {
  const sql = 'select from payments where order_id = $1 and due_at <= clock_timestamp()';
  return (await pool.query(sql, [orderId])).rows.length === 1;
}
