import { describe, expect, it } from 'vitest';
import type { Charge } from '../src/payments/provider.js';
import { until } from './support/condition.js';
import { createCharge, type Rig, startSandboxRig, startStripeRig } from './support/payment-rigs.js';

const never = new AbortController().signal;
const nowSeconds = () => Math.floor(Date.now() / 1000);

describe.each([
  { name: 'sandbox', start: startSandboxRig },
  { name: 'stripe', start: startStripeRig },
])('webhooks of $name', ({ start }) => {
  it('report the result of each charge', async () => {
    const rig = await start();
    const charges = [
      createCharge(rig.goodMethod),
      createCharge(rig.declinedMethod),
      createCharge(rig.goodMethod),
    ] as const;
    await rig.provider.charge(charges[0], never);
    await rig.provider.charge(charges[1], never);
    await rig.provider.cancel(charges[2], never);
    const told = () => rig.received.map(({ rawBody, headers }) => rig.provider.readWebhook(rawBody, headers));
    const statusOf = ({ paymentId }: Charge) =>
      told().findLast(event => event?.paymentId === paymentId)?.charge.status;
    await until('all three are delivered', () => charges.every(statusOf));
    expect(charges.map(statusOf)).toEqual(['captured', 'declined', 'canceled']);
    expect(told()).toContainEqual({
      paymentId: charges[0].paymentId,
      charge: expect.objectContaining({ status: 'captured', amountMinor: 1999 }),
    });
  });

  it('are refused without a signature, with a bad one, and when the body was rewritten', async () => {
    const rig = await start();
    const { rawBody, headers } = await receiveWebhook(rig);
    expect(rig.provider.readWebhook(rawBody, headers)).toBeDefined();
    const rewritten = Buffer.from(JSON.stringify(JSON.parse(rawBody.toString()), null, 1));
    const forged = rig.sign('something else', nowSeconds());
    const tries = [
      () => rig.provider.readWebhook(rawBody, {}),
      () => rig.provider.readWebhook(rawBody, forged),
      () => rig.provider.readWebhook(rawBody, { ...forged, ...nonsenseOf(forged) }),
      () => rig.provider.readWebhook(rewritten, headers),
      () => rig.provider.readWebhook(Buffer.alloc(0), headers),
    ];
    for (const attempt of tries)
      expect(attempt).toThrow(expect.objectContaining({ code: 'WEBHOOK_REFUSED' }));
  });

  it('are refused when they were signed more than five minutes ago', async () => {
    const rig = await start();
    const { rawBody } = await receiveWebhook(rig);
    const text = rawBody.toString();
    const read = (ageSeconds: number) => () =>
      rig.provider.readWebhook(rawBody, rig.sign(text, nowSeconds() - ageSeconds));
    expect(read(301)).toThrow(expect.objectContaining({ code: 'WEBHOOK_REFUSED' }));
    expect(read(290)()).toBeDefined();
  });

  it('with a valid signature about other objects are ignored', async () => {
    const rig = await start();
    const body = JSON.stringify({
      id: 'evt_1',
      object: 'event',
      type: 'payout.paid',
      data: { object: {} },
    });
    const headers = rig.sign(body, nowSeconds());
    expect(rig.provider.readWebhook(Buffer.from(body), headers)).toBeUndefined();
  });
});

async function receiveWebhook(rig: Rig) {
  await rig.provider.charge(createCharge(rig.goodMethod), never);
  return until('a webhook arrives', () => rig.received[0]);
}

function nonsenseOf(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.keys(headers).map(name => [name, 't=now,v1=nonsense']));
}
