import { endAfter, type Span, type Tracing } from '../platform/telemetry/tracing.js';
import type { Charge, PaymentProvider } from './provider.js';

/**
 * Each call to the provider is a span, tries that come after it are spans of their own, and the provider is told of it. What
 * the reconciler asks by itself begins a trace.
 */
export function traceProvider(provider: PaymentProvider, tracing: Tracing): PaymentProvider {
  function start(call: 'charge' | 'cancel' | 'refund', paymentId: string, parent?: Span): Span {
    const attributes = {
      'doorbuster.payment.id': paymentId,
      'doorbuster.payment.provider': provider.name,
    };
    return tracing.start(`payment ${call}`, { kind: 'client', parent: parent?.traceparent, attributes });
  }

  async function ask(call: 'charge' | 'cancel', charge: Charge, signal: AbortSignal) {
    const span = start(call, charge.paymentId, charge.span);
    return endAfter([span], async () => {
      const state = await provider[call]({ ...charge, span }, signal);
      span.set({ 'doorbuster.payment.status': state.status });
      return state;
    });
  }

  return {
    ...provider,
    charge: (charge, signal) => ask('charge', charge, signal),
    cancel: (charge, signal) => ask('cancel', charge, signal),
    refund: (refund, signal) =>
      endAfter([start('refund', refund.paymentId)], () => provider.refund(refund, signal)),
  };
}
