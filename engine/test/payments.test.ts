import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Charge, PaymentProvider } from '../src/payments/provider.js';
import { until } from './support/condition.js';
import { createCharge, type Rig, startSandboxRig, startStripeRig } from './support/payment-rigs.js';

// One contract for all providers: the sandbox as the real service, Stripe's SDK against a double of Stripe.
const never = new AbortController().signal;

describe.each([
  { name: 'sandbox', start: startSandboxRig },
  { name: 'stripe', start: startStripeRig },
])('$name', ({ start }) => {
  // As in a real process: undici's dispatcher, which other calls use, is behind Node's own fetch, and rejects the
  // Content-Length that fetch sends.
  it('can be called whatever dispatcher the global fetch uses', async () => {
    const before = getGlobalDispatcher();
    const agent = new Agent();
    setGlobalDispatcher(agent);
    onTestFinished(async () => {
      setGlobalDispatcher(before);
      await agent.close();
    });
    const { provider, goodMethod } = await start();
    expect(await provider.charge(createCharge(goodMethod), never)).toMatchObject({ status: 'captured' });
  });

  describe('charge', () => {
    it('takes the money once, however often it is sent, even at the same time', async () => {
      const rig = await start();
      const charge = createCharge(rig.goodMethod);
      const first = await rig.provider.charge(charge, never);
      expect(first).toMatchObject({ status: 'captured', amountMinor: 1999 });
      const more = await Promise.all([1, 2, 3].map(() => rig.provider.charge(charge, never)));
      expect(more).toEqual([first, first, first]);
      expect(await rig.totals()).toMatchObject({ captured: 1, capturedMinor: 1999 });
    });

    it('stays declined, with a reason, when the card is', async () => {
      const rig = await start();
      const charge = createCharge(rig.declinedMethod);
      const declined = await rig.provider.charge(charge, never);
      expect(declined).toMatchObject({
        status: 'declined',
        reason: expect.stringContaining('insufficient funds'),
      });
      expect(await rig.provider.charge(charge, never)).toMatchObject({ status: 'declined' });
      expect(await rig.provider.cancel(charge, never)).toMatchObject({ status: 'declined' });
      expect(await rig.totals()).toMatchObject({ captured: 0, capturedMinor: 0 });
    });

    it.each(['lost', 'garbled', 'hang'] as const)(
      'sent again after an answer was %s, returns the result of the first',
      async mode => {
        const rig = await start();
        const charge = createCharge(rig.goodMethod);
        await rig.behave(mode);
        const codes = { lost: 'PROVIDER_BUSY', garbled: 'PROVIDER_GARBLED', hang: 'PROVIDER_TIMEOUT' };
        const signal = mode === 'hang' ? AbortSignal.timeout(300) : never;
        await expect(rig.provider.charge(charge, signal)).rejects.toMatchObject({
          code: codes[mode],
          retryable: true,
        });
        await rig.behave('ok');
        expect(await rig.provider.charge(charge, never)).toMatchObject({
          status: 'captured',
          amountMinor: 1999,
        });
        expect(await rig.totals()).toMatchObject({ captured: 1, capturedMinor: 1999 });
      },
    );
  });

  describe('cancel', () => {
    it('before the charge arrives prevents any later capture', async () => {
      const rig = await start();
      const charge = createCharge(rig.goodMethod);
      expect(await rig.provider.cancel(charge, never)).toMatchObject({ status: 'canceled' });
      expect(await rig.provider.charge(charge, never)).toMatchObject({ status: 'canceled' });
      expect(await rig.provider.cancel(charge, never)).toMatchObject({ status: 'canceled' });
      expect(await rig.totals()).toMatchObject({ captured: 0, capturedMinor: 0 });
    });

    it('after the money was taken reports the capture, even if its answer was lost', async () => {
      const rig = await start();
      const charge = createCharge(rig.goodMethod);
      await rig.behave('lost');
      await expect(rig.provider.charge(charge, never)).rejects.toMatchObject({ code: 'PROVIDER_BUSY' });
      await rig.behave('ok');
      expect(await rig.provider.cancel(charge, never)).toMatchObject({
        status: 'captured',
        amountMinor: 1999,
      });
      expect(await rig.totals()).toMatchObject({ captured: 1 });
    });

    it('in a race with the charge has one consistent result', async () => {
      const rig = await start();
      for (let i = 0; i < 10; i++) {
        const charge = createCharge(rig.goodMethod);
        const [charged, canceled] = await Promise.all([
          rig.provider.charge(charge, never),
          rig.provider.cancel(charge, never),
        ]);
        const capturedBefore = (await rig.totals()).captured;
        expect(charged.status).toBe(canceled.status);
        expect(await rig.provider.charge(charge, never)).toMatchObject({ status: charged.status });
        expect((await rig.totals()).captured).toBe(capturedBefore);
      }
    });
  });

  describe('refund', () => {
    it('returns the whole amount once, however often it is sent', async () => {
      const rig = await start();
      const refund = await chargeAndDescribeRefund(rig);
      const first = await rig.provider.refund(refund, never);
      expect(first.reference).not.toBe('');
      expect(await rig.provider.refund(refund, never)).toEqual(first);
      expect(await rig.totals()).toMatchObject({ captured: 1, refunded: 1, refundedMinor: 1999 });
    });

    it('sent again after its answer was lost, returns the first', async () => {
      const rig = await start();
      const refund = await chargeAndDescribeRefund(rig);
      await rig.behave('lost');
      await expect(rig.provider.refund(refund, never)).rejects.toMatchObject({ code: 'PROVIDER_BUSY' });
      await rig.behave('ok');
      expect((await rig.provider.refund(refund, never)).reference).not.toBe('');
      expect(await rig.totals()).toMatchObject({ refunded: 1, refundedMinor: 1999 });
    });
  });

  describe('failures', () => {
    const failuresOf = (provider: PaymentProvider, charge: Charge) => [
      provider.charge(charge, never),
      provider.cancel(charge, never),
      provider.refund({ ...charge, reference: 'none' }, never),
    ];
    async function expectFailures(rig: Rig, provider: PaymentProvider, expected: object): Promise<void> {
      const outcomes = await Promise.allSettled(failuresOf(provider, createCharge(rig.goodMethod)));
      for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: expected });
    }

    it('no server: PROVIDER_UNREACHABLE, retryable', async () => {
      const rig = await start();
      const nowhere = rig.misconfigured({ url: 'http://127.0.0.1:1' });
      await expectFailures(rig, nowhere, { code: 'PROVIDER_UNREACHABLE', retryable: true });
    });

    it('503 without effect: PROVIDER_BUSY, retryable', async () => {
      const rig = await start();
      await rig.behave('error');
      await expectFailures(rig, rig.provider, { code: 'PROVIDER_BUSY', retryable: true });
      expect(await rig.totals()).toMatchObject({ captured: 0 });
    });

    it('an unreadable 200: PROVIDER_GARBLED, retryable', async () => {
      const rig = await start();
      await rig.behave('garbled');
      const charge = createCharge(rig.goodMethod);
      for (const call of [rig.provider.charge, rig.provider.cancel]) {
        await expect(call(charge, never)).rejects.toMatchObject({
          code: 'PROVIDER_GARBLED',
          retryable: true,
        });
      }
    });

    it('a refused key: PROVIDER_REFUSED, permanent', async () => {
      const rig = await start();
      await expectFailures(rig, rig.misconfigured({ key: 'wrong' }), {
        code: 'PROVIDER_REFUSED',
        retryable: false,
      });
    });

    it('another amount under the same id: PROVIDER_REFUSED, and the first charge stands', async () => {
      const rig = await start();
      const charge = createCharge(rig.goodMethod);
      await rig.provider.charge(charge, never);
      const other = rig.provider.charge({ ...charge, amountMinor: 1 }, never);
      await expect(other).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
      expect(await rig.totals()).toMatchObject({ captured: 1, capturedMinor: 1999 });
    });

    it('an aborted call ends at once and sends nothing', async () => {
      const rig = await start();
      const aborted = AbortSignal.abort();
      await expect(rig.provider.charge(createCharge(rig.goodMethod), aborted)).rejects.toMatchObject({
        code: 'PROVIDER_TIMEOUT',
      });
      expect(await rig.totals()).toMatchObject({ captured: 0 });
    });
  });
});

describe('stripe only', () => {
  it('declines a charge without a payment method, and leaves no intent open', async () => {
    const { provider, double, goodMethod } = await startStripeRig();
    const charge = { ...createCharge(goodMethod), method: null };
    expect(await provider.charge(charge, never)).toMatchObject({ status: 'declined' });
    expect(double.intents()).toMatchObject([{ status: 'canceled' }]);
  });

  it('reports a call whose key is in use as throttled, which is not a failure of the provider', async () => {
    const { provider, double, goodMethod } = await startStripeRig();
    double.answerAfter(200);
    const charge = createCharge(goodMethod);
    const first = provider.charge(charge, never);
    await until('the first call is in progress', async () => double.intents().length === 1);
    await expect(provider.charge(charge, never)).rejects.toMatchObject({
      code: 'PROVIDER_THROTTLED',
      isFault: false,
      retryable: true,
    });
    expect(await first).toMatchObject({ status: 'captured' });
  });

  it('sent again after the answer of a declined card was lost, reports the decline and ends the intent', async () => {
    const { provider, double, declinedMethod } = await startStripeRig();
    const charge = createCharge(declinedMethod);
    double.behave('lost');
    await expect(provider.charge(charge, never)).rejects.toMatchObject({ code: 'PROVIDER_BUSY' });
    double.behave('ok');
    expect(await provider.charge(charge, never)).toMatchObject({ status: 'declined' });
    expect(double.intents()).toMatchObject([{ status: 'canceled' }]);
  });

  it.each(['pm_nobody_knows', 'pm_of_another_customer', 'pm_card_authenticationRequired'])(
    'ends the intent of a charge by %s, and reports the decline',
    async method => {
      const { provider, double } = await startStripeRig();
      const charge = createCharge(method);
      expect(await provider.charge(charge, never)).toMatchObject({ status: 'declined' });
      expect(double.intents()).toMatchObject([{ status: 'canceled' }]);
      expect(await provider.charge(charge, never)).toMatchObject({ status: 'declined' });
    },
  );
});

async function chargeAndDescribeRefund(rig: Rig) {
  const charge = createCharge(rig.goodMethod);
  const { reference } = await rig.provider.charge(charge, never);
  return { paymentId: charge.paymentId, reference: reference ?? '', amountMinor: charge.amountMinor };
}
