import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import Fastify from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Charge, ChargeState } from '../provider.js';
import { type Book, openBook } from './book.js';
import { type Answer, createMisbehaviour } from './misbehave.js';
import { createWebhookSender, type WebhookSender } from './sandbox-webhooks.js';
import { behaviourSchema, chargeSchema, refundSchema } from './wire.js';

export type Sandbox = { url: string; close(): Promise<void> };

export type SandboxOptions = {
  host: string;
  port: number;
  /** The file of the charges; created if it does not exist. One sandbox per file. */
  dataFile: string;
  webhook: { url: string; secret: string } | undefined;
  /** The key that callers present as `Authorization: Bearer`. */
  apiKey: string;
  logger: Logger;
};

// The largest request is a charge with ids and a method of at most 255 characters, escaped.
const bodyBytesMax = 16 * 1024;
const oneCharge = { params: z.object({ paymentId: z.string() }) };

/** A simulated payment provider, a separate service that can be made to fail in the ways that real ones do. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const book = openBook(options.dataFile);
  const webhooks = options.webhook && createWebhookSender({ ...options.webhook, logger: options.logger });
  const misbehaviour = createMisbehaviour();
  const { charge, cancel, refund } = createDeeds(book, webhooks);
  const app = createServer(options.apiKey);

  app.post('/charges', { schema: { body: chargeSchema } }, ({ body }, reply) => {
    if (body.method === 'error') return reply.code(503).send({ message: 'this method never works' });
    return misbehaviour.answer(reply, () => charge(body), body.method === 'slow');
  });
  app.get('/charges/:paymentId', { schema: oneCharge }, ({ params }, reply) => {
    const entry = book.find(params.paymentId);
    return entry ? entry.state : reply.code(404).send({ message: 'no such charge' });
  });
  app.post(
    '/charges/:paymentId/cancel',
    { schema: { ...oneCharge, body: chargeSchema } },
    ({ params, body }, reply) => {
      if (params.paymentId === body.paymentId) return misbehaviour.answer(reply, () => cancel(body));
      return reply.code(400).send({ message: 'paymentId: expected the one of the path' });
    },
  );
  app.post(
    '/charges/:paymentId/refund',
    { schema: { ...oneCharge, body: refundSchema } },
    ({ params, body }, reply) => misbehaviour.answer(reply, () => refund(params.paymentId, body.amountMinor)),
  );
  app.get('/totals', () => book.totals());
  app.put('/behaviour', { schema: { body: behaviourSchema } }, ({ body }) => {
    misbehaviour.set(body);
    return body;
  });

  const close = async () => {
    misbehaviour.close();
    await app.close();
    await webhooks?.close();
    book.close();
  };
  try {
    return { url: await app.listen({ host: options.host, port: options.port }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function createServer(apiKey: string) {
  const app = Fastify({
    logger: false,
    bodyLimit: bodyBytesMax,
    requestTimeout: 10_000,
    routerOptions: { maxParamLength: 200 },
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(`Bearer ${apiKey}`);
  app.addHook('onRequest', async (request, reply) => {
    if (timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) return;
    await reply.code(401).send({ message: 'the API key is not valid' });
  });
  return app;
}

/** The operations on a charge, each with one effect. Synchronous, so that no two can interfere. */
function createDeeds(book: Book, webhooks: WebhookSender | undefined) {
  function record(charge: Charge, state: ChargeState): Answer {
    book.write(charge, state);
    webhooks?.send({ id: `evt_${randomUUID()}`, paymentId: charge.paymentId, charge: state });
    return { statusCode: 200, body: state };
  }

  function onceOnly(charge: Charge, decide: () => ChargeState): Answer {
    const known = book.find(charge.paymentId);
    if (!known) return record(charge, decide());
    return isSame(known.charge, charge)
      ? { statusCode: 200, body: known.state }
      : refusal(409, 'another charge has this id');
  }

  return {
    charge: (charge: Charge) => onceOnly(charge, () => decideCharge(charge)),
    // A charge that has ended stays as it is; an unknown charge is ended before it begins.
    cancel: (charge: Charge) => onceOnly(charge, () => ({ status: 'canceled', reference: null })),
    refund(paymentId: string, amountMinor: number): Answer {
      const entry = book.find(paymentId);
      if (entry?.state.status !== 'captured') return refusal(409, 'there is no captured charge to refund');
      if (entry.state.amountMinor !== amountMinor) return refusal(422, 'expected the whole amount');
      const refund = entry.refund ?? { reference: `sandbox_refund_${randomUUID()}` };
      if (!entry.refund) book.write(entry.charge, entry.state, refund);
      return { statusCode: 200, body: refund };
    },
  };
}

function decideCharge({ method, amountMinor, currency }: Charge): ChargeState {
  const reference = `sandbox_charge_${randomUUID()}`;
  return method === 'declined'
    ? { status: 'declined', reference, reason: 'insufficient funds' }
    : { status: 'captured', reference, amountMinor, currency };
}

function isSame(known: Charge, { orderId, amountMinor, currency }: Charge): boolean {
  return known.orderId === orderId && known.amountMinor === amountMinor && known.currency === currency;
}

function refusal(statusCode: number, message: string): Answer {
  return { statusCode, body: { message } };
}
