import type { Faults } from '../../faults/faults.js';
import { PaymentError } from '../../payments/provider.js';
import type { PaymentHook } from '../../payments/resilient.js';
import { endSpans, type Tracing } from '../../platform/telemetry/tracing.js';

/** The hooks of calls to a payment provider: spans if tracing is on, and faults if they are enabled. */
export function createPaymentHooks(
  provider: string,
  tracing: Tracing | undefined,
  faults: Faults,
): PaymentHook[] {
  return [
    ...(tracing ? [traceCalls(provider, tracing)] : []),
    ...(faults.isEnabled ? [disturbCalls(faults)] : []),
  ];
}

/**
 * Each call to the provider is a span, each retry is a separate span, and the provider receives the trace context. A
 * call by the reconciler starts a new trace.
 */
function traceCalls(provider: string, tracing: Tracing): PaymentHook {
  return call => {
    const attributes = {
      'doorbuster.payment.id': call.paymentId,
      'doorbuster.payment.provider': provider,
    };
    const parent = call.span?.traceparent;
    const span = tracing.start(`payment ${call.name}`, { kind: 'client', parent, attributes });
    return {
      call: { ...call, span },
      ended(ended) {
        if ('result' in ended && 'status' in ended.result)
          span.set({ 'doorbuster.payment.status': ended.result.status });
        endSpans([span], ended);
      },
    };
  };
}

/** Applies the faults that are set for payments to each call, as if they were the provider's own. */
function disturbCalls(faults: Faults): PaymentHook {
  return () =>
    faults.inject('payment')?.then(
      () => undefined,
      error => {
        throw new PaymentError('PROVIDER_UNREACHABLE', 'A fault was set at the payment', error);
      },
    );
}
