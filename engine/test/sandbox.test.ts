import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Fastify from 'fastify';
import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Charge, ChargeState } from '../src/payments/provider.js';
import { openBook } from '../src/payments/sandbox/book.js';
import { createMisbehaviour } from '../src/payments/sandbox/misbehave.js';
import { createSandboxProvider } from '../src/payments/sandbox/sandbox-provider.js';
import { createWebhookSender, type WebhookOptions } from '../src/payments/sandbox/sandbox-webhooks.js';
import { runChild } from './children/run-child.js';
import { until } from './support/condition.js';
import {
  askSandbox,
  createCharge,
  createTestDir,
  sandboxKey,
  startSandboxRig,
} from './support/payment-rigs.js';
import { startWebhookReceiver } from './support/webhook-receiver.js';

const never = new AbortController().signal;

describe("the sandbox's memory", () => {
  it('survives kill -9 under load: every answered charge is there, and a retry returns the same', async () => {
    const dataFile = join(await createTestDir(), 'charges.ndjson');
    const first = await runSandbox(dataFile);
    const answered: { charge: Charge; state: ChargeState }[] = [];
    const load = Promise.allSettled(
      Array.from({ length: 8 }, () => chargeUntilItEnds(first.provider, answered)),
    );
    await until('charges are answered', () => answered.length > 100, 20_000);
    await first.child.kill();
    await load;

    const second = await runSandbox(dataFile);
    for (const { charge, state } of answered.slice(-50)) {
      expect(await second.provider.charge(charge, never)).toEqual(state);
    }
    const totals = await askSandbox(second.url, 'GET', '/totals');
    expect(totals).toMatchObject({ captured: expect.toSatisfy(captured => captured >= answered.length) });
    await second.child.finish();
  });

  it('skips a torn last line and continues after the complete ones', async () => {
    const path = join(await createTestDir(), 'charges.ndjson');
    const [whole, torn, next] = [createCharge(), createCharge(), createCharge()];
    const captured: ChargeState = {
      status: 'captured',
      reference: 'ch_1',
      amountMinor: 1999,
      currency: 'EUR',
    };
    const first = openBook(path);
    first.write(whole, captured);
    first.close();
    await appendFile(path, JSON.stringify({ charge: torn, state: captured }).slice(0, 80));

    const second = openBook(path);
    expect(second.find(whole.paymentId)?.state).toEqual(captured);
    expect(second.find(torn.paymentId)).toBeUndefined();
    second.write(next, captured, { reference: 're_1' });
    second.close();

    const third = openBook(path);
    expect(third.totals()).toEqual({
      charges: 2,
      captured: 2,
      capturedMinor: 3998,
      refunded: 1,
      refundedMinor: 1999,
    });
    third.close();
  });

  it('refuses to start with an unreadable line in the middle, and leaves the file unchanged', async () => {
    const path = join(await createTestDir(), 'charges.ndjson');
    await appendFile(path, 'nonsense\n{"torn');
    expect(() => openBook(path)).toThrow(expect.objectContaining({ code: 'SANDBOX_FILE_DAMAGED' }));
    expect(await readFile(path, 'utf8')).toBe('nonsense\n{"torn');
  });
});

describe("the sandbox's service", () => {
  it('refuses what it does not understand, without effect', async () => {
    const rig = await startSandboxRig();
    const charge = createCharge();
    const bad = [
      { ...charge, amountMinor: 1.5 },
      { ...charge, amountMinor: -1 },
      { ...charge, currency: 'euro' },
      { ...charge, paymentId: '' },
      { ...charge, paymentId: 'x'.repeat(201) },
    ];
    for (const one of bad) {
      await expect(rig.provider.charge(one, never)).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
    }
    expect(await rig.totals()).toMatchObject({ captured: 0 });
  });

  it('refunds neither a part nor a charge that was never captured', async () => {
    const rig = await startSandboxRig();
    const charge = createCharge();
    const refund = { paymentId: charge.paymentId, reference: 'any', amountMinor: 1 };
    await expect(rig.provider.refund(refund, never)).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
    await rig.provider.charge(charge, never);
    await expect(rig.provider.refund(refund, never)).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
    expect(await rig.totals()).toMatchObject({ captured: 1, refunded: 0 });
  });

  it('acts by payment method: "slow" captures without an answer in time, "error" does nothing', async () => {
    const rig = await startSandboxRig();
    const slow = createCharge('slow');
    await expect(rig.provider.charge(slow, AbortSignal.timeout(200))).rejects.toMatchObject({
      code: 'PROVIDER_TIMEOUT',
    });
    expect(await rig.provider.cancel(slow, never)).toMatchObject({ status: 'captured' });
    await expect(rig.provider.charge(createCharge('error'), never)).rejects.toMatchObject({
      code: 'PROVIDER_BUSY',
    });
    expect(await rig.totals()).toMatchObject({ captured: 1 });
  });
});

describe('delayed answers', () => {
  it('are limited: one request more gets 503 at once and does nothing', async () => {
    const misbehaviour = createMisbehaviour(2);
    misbehaviour.set({ mode: 'hang', latencyMs: 0 });
    let deeds = 0;
    const app = Fastify();
    app.get('/', (_, reply) =>
      misbehaviour.answer(reply, () => ({ statusCode: 200, body: { deed: ++deeds } })),
    );
    await app.ready();
    const held = [1, 2].map(() => app.inject('/').then(({ statusCode }) => statusCode));
    await until('two are delayed', () => deeds === 2);
    expect((await app.inject('/')).statusCode).toBe(503);
    misbehaviour.close();
    expect([await Promise.all(held), deeds]).toEqual([[200, 200], 2]);
  });
});

describe('webhooks of the sandbox', () => {
  it('are sent again until the receiver accepts them', async () => {
    const receiver = await startWebhookReceiver();
    receiver.failNext(2);
    const sender = startSender({ url: receiver.url });
    sender.send(eventOf('p-1'));
    await until('it is delivered', () => sender.pending() === 0);
    expect(receiver.received).toHaveLength(3);
  });

  it('are given up after a limited number of tries', async () => {
    const receiver = await startWebhookReceiver();
    receiver.failNext(100);
    const sender = startSender({ url: receiver.url, triesMax: 4 });
    sender.send(eventOf('p-1'));
    await until('it is given up', () => sender.pending() === 0);
    expect(receiver.received).toHaveLength(4);
  });

  it('wait in a bounded queue; one more is dropped and counted, and no call waits for it', async () => {
    // The receiver takes none: each of the eight senders holds one, and three wait.
    const sender = startSender({
      url: 'http://127.0.0.1:1',
      queueMax: 3,
      triesMax: 1000,
      retryBaseMs: 60_000,
    });
    for (let i = 0; i < 8 + 3; i++) sender.send(eventOf(`p-${i}`));
    expect([sender.pending(), sender.dropped()]).toEqual([11, 0]);
    sender.send(eventOf('one too many'));
    expect([sender.pending(), sender.dropped()]).toEqual([11, 1]);
  });
});

async function runSandbox(dataFile: string) {
  const child = runChild('./sandbox.ts', dataFile, sandboxKey);
  // Ending a child that has already ended does no harm.
  onTestFinished(() => child.kill());
  const url = await child.nextLine();
  return { child, url, provider: createSandboxProvider({ url, apiKey: sandboxKey, webhookSecret: 'none' }) };
}

async function chargeUntilItEnds(
  provider: ReturnType<typeof createSandboxProvider>,
  answered: { charge: Charge; state: ChargeState }[],
): Promise<never> {
  for (;;) {
    const charge = createCharge();
    answered.push({ charge, state: await provider.charge(charge, never) });
  }
}

function startSender(options: Pick<WebhookOptions, 'url'> & Partial<WebhookOptions>) {
  const logger = pino({ level: 'silent' });
  const sender = createWebhookSender({ secret: 'whsec_test', logger, retryBaseMs: 1, ...options });
  onTestFinished(() => sender.close());
  return sender;
}

function eventOf(paymentId: string) {
  return { id: `evt-${paymentId}`, paymentId, charge: { status: 'canceled' as const, reference: null } };
}
