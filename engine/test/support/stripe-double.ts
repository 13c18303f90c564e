import { createHmac, randomUUID } from 'node:crypto';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { sleep } from '../../src/platform/backoff.js';
import { type Answer, createStripeAccount, failure, type Intent } from './stripe-account.js';

/** What a test can tell both providers. */
export type Mode = 'ok' | 'hang' | 'error' | 'garbled' | 'lost';

export type StripeDouble = {
  url: string;
  behave(mode: Mode): void;
  /** Every answer takes this long; meanwhile its idempotency key is in use, and another call with it gets 409. */
  answerAfter(latencyMs: number): void;
  /** Calls that got that 409. */
  conflicts(): number;
  totals(): { captured: number; capturedMinor: number; refunded: number; refundedMinor: number };
  intents(): Intent[];
  close(): Promise<void>;
};

type Options = { secretKey: string; webhookSecret: string; webhookUrl: string };
type Call = (form: URLSearchParams, id: string) => Answer;

/**
 * A double of the few Stripe calls that the adapter makes, written from Stripe's documentation: it has not been
 * compared with Stripe itself. Where the documentation leaves room, it behaves as unhelpfully as allowed: an answer
 * of 500 is kept under its idempotency key and repeated, and canceling an intent forgets why its card was declined.
 */
export async function startStripeDouble(options: Options): Promise<StripeDouble> {
  const account = createStripeAccount((type, intent) => sendEvent(options, type, intent));
  const { serve, ...service } = createService(options.secretKey);
  const app = Fastify({ forceCloseConnections: true });
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) =>
    done(null, body),
  );
  app.post('/v1/payment_intents', serve(account.create));
  app.get('/v1/payment_intents/:id', serve(account.retrieve));
  app.post('/v1/payment_intents/:id/confirm', serve(account.confirm, { isLosable: true }));
  app.post('/v1/payment_intents/:id/cancel', serve(account.cancel));
  app.post('/v1/refunds', serve(account.refund, { isLosable: true }));
  app.get('/v1/refunds', serve(account.listRefunds));
  return {
    url: await app.listen({ host: '127.0.0.1', port: 0 }),
    ...service,
    totals: account.totals,
    intents: account.intents,
    close: () => app.close(),
  };
}

/**
 * The scheme of the Stripe-Signature header: an HMAC of "time.body", keyed with the whole secret including its
 * prefix.
 */
export function signAsStripe(rawBody: string, secret: string, atSeconds: number): string {
  const at = Math.floor(atSeconds);
  return `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${rawBody}`).digest('hex')}`;
}

/** Idempotency keys, and what can go wrong between an effect and its answer. */
function createService(secretKey: string) {
  const kept = new Map<string, Answer & { request: string }>();
  const inUse = new Set<string>();
  let mode: Mode = 'ok';
  let latencyMs = 0;
  let conflicts = 0;

  // Everything except the delay happens at once, so that the answer is that of the moment of the call.
  async function answerLater(reply: FastifyReply, key: string | undefined, answer: Answer) {
    if (key !== undefined) inUse.add(key);
    await sleep(latencyMs);
    if (key !== undefined) inUse.delete(key);
    return send(reply, answer);
  }

  // A create with a lost answer would be repeated as a failure for a day, which would block all other calls.
  function answerOnce(request: FastifyRequest, call: Call, isLosable: boolean): Answer & { isReplay?: true } {
    const key = keyOf(request);
    const sent = `${request.url} ${String(request.body)}`;
    const first = key === undefined ? undefined : kept.get(key);
    if (first?.request === sent) return { ...first, isReplay: true };
    if (first) return failure(400, { type: 'idempotency_error', message: 'another request had this key' });
    const done = structuredClone(call(formOf(request), idSchema.parse(request.params).id));
    const answer = mode === 'lost' && isLosable ? failure(500, { type: 'api_error', message: 'lost' }) : done;
    if (key !== undefined) kept.set(key, { ...answer, request: sent });
    return answer;
  }

  const serve = (call: Call, { isLosable } = { isLosable: false }) => {
    return (request: FastifyRequest, reply: FastifyReply) => {
      if (request.headers.authorization !== `Bearer ${secretKey}`) {
        return send(reply, failure(401, { message: 'Invalid API Key provided' }));
      }
      if (mode === 'error') return send(reply, failure(503, { type: 'api_error', message: 'not now' }));
      const key = keyOf(request);
      if (key !== undefined && inUse.has(key)) {
        conflicts += 1;
        return send(reply, failure(409, { type: 'idempotency_error', code: 'idempotency_key_in_use' }));
      }
      const { isReplay, ...answer } = answerOnce(request, call, isLosable);
      if (isReplay) reply.header('idempotent-replayed', 'true');
      if (mode === 'garbled') return reply.code(200).send('<html>');
      // Closing the server ends it.
      if (mode === 'hang') return new Promise<never>(() => {});
      return latencyMs === 0 ? send(reply, answer) : answerLater(reply, key, answer);
    };
  };

  return {
    serve,
    behave(next: Mode) {
      mode = next;
    },
    answerAfter(nextMs: number) {
      latencyMs = nextMs;
    },
    conflicts: () => conflicts,
  };
}

function keyOf({ headers }: FastifyRequest): string | undefined {
  return z.string().optional().parse(headers['idempotency-key']);
}

const idSchema = z.object({ id: z.string().default('') });

function formOf({ body, url }: FastifyRequest): URLSearchParams {
  return typeof body === 'string' ? new URLSearchParams(body) : new URL(url, 'http://double').searchParams;
}

function sendEvent({ webhookUrl, webhookSecret }: Options, type: string, intent: Intent): void {
  const event = { id: `evt_${randomUUID()}`, object: 'event', type, data: { object: intent } };
  const body = JSON.stringify(event, null, 2);
  const headers = { 'stripe-signature': signAsStripe(body, webhookSecret, Date.now() / 1000) };
  fetch(webhookUrl, { method: 'POST', headers, body }).catch(() => {});
}

function send(reply: FastifyReply, { statusCode, body }: Answer): FastifyReply {
  return reply.code(statusCode).send(body);
}
