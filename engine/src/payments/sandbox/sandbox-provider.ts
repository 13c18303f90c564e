import type { z } from 'zod';
import { messageOf } from '../../platform/errors.js';
import type { Span } from '../../platform/telemetry/tracing.js';
import { type Charge, PaymentError, type PaymentProvider } from '../provider.js';
import { findFlaw, signatureHeader } from './signature.js';
import { chargeStateSchema, eventSchema, refundedSchema } from './wire.js';

export type SandboxProviderOptions = { url: string; apiKey: string; webhookSecret: string };

/** Payments by the sandbox. */
export function createSandboxProvider({
  url,
  apiKey,
  webhookSecret,
}: SandboxProviderOptions): PaymentProvider {
  async function post<T>(
    path: string,
    body: unknown,
    schema: z.ZodType<T>,
    signal: AbortSignal,
    span?: Span,
  ): Promise<T> {
    const answer = await send(new URL(path, url), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${apiKey}`,
        'content-type': 'application/json',
        ...(span && { traceparent: span.traceparent }),
      },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal,
    });
    if (answer.status === 200) return read(answer.text, schema);
    const code = answer.status >= 500 ? 'PROVIDER_BUSY' : 'PROVIDER_REFUSED';
    throw new PaymentError(code, `The sandbox answered ${answer.status} (${answer.text.slice(0, 200)})`);
  }

  const pathOf = (paymentId: string) => `/charges/${encodeURIComponent(paymentId)}`;

  return {
    name: 'sandbox',
    needsMethod: false,
    stepMinor: () => 1,
    charge: (charge, signal) => post('/charges', toWire(charge), chargeStateSchema, signal, charge.span),
    cancel: (charge, signal) =>
      post(`${pathOf(charge.paymentId)}/cancel`, toWire(charge), chargeStateSchema, signal, charge.span),
    refund: ({ paymentId, amountMinor }, signal) =>
      post(`${pathOf(paymentId)}/refund`, { amountMinor }, refundedSchema, signal),
    readWebhook(rawBody, headers) {
      const flaw = findFlaw(rawBody, headers[signatureHeader], webhookSecret, Date.now() / 1000);
      if (flaw) throw new PaymentError('WEBHOOK_REFUSED', `The webhook ${flaw}`);
      const event = eventSchema.safeParse(parseJson(rawBody.toString()));
      return event.success ? { paymentId: event.data.paymentId, charge: event.data.charge } : undefined;
    },
  };
}

// Field by field, because the sandbox refuses unknown fields.
function toWire({ paymentId, orderId, amountMinor, currency, method }: Charge): Charge {
  return { paymentId, orderId, amountMinor, currency, method };
}

async function send(url: URL, request: RequestInit): Promise<{ status: number; text: string }> {
  try {
    const answer = await fetch(url, request);
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    if (request.signal?.aborted)
      throw new PaymentError('PROVIDER_TIMEOUT', 'The sandbox took too long', error);
    throw new PaymentError('PROVIDER_UNREACHABLE', `The sandbox did not answer (${reasonOf(error)})`, error);
  }
}

function read<T>(text: string, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new PaymentError('PROVIDER_GARBLED', "The sandbox's answer cannot be read", parsed.error);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// "fetch failed" says nothing; its cause names the address.
function reasonOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause ? error.cause : error);
}
