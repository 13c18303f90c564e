import type { Span } from '../platform/telemetry/tracing.js';
import type { Pay } from './pay.js';

/** Pays without delaying the messages behind it. The reconciler makes the payments that are lost or find no room. */
export type PayInBackground = {
  begin(paymentId: string, span: Span | undefined): void;
  /** Waits for the payments in progress. Each takes at most a few seconds; see the provider's timeouts. */
  ended(): Promise<unknown>;
};

// Payments of queued orders that one worker makes concurrently; the reconciler makes further ones.
const paymentsMax = 100;

export function createPayInBackground(pay: Pay, onError: (error: unknown) => void): PayInBackground {
  const underWay = new Set<Promise<unknown>>();
  return {
    begin(paymentId, span) {
      if (underWay.size >= paymentsMax) return;
      const paid = pay
        .chargeById(paymentId, span)
        .catch(onError)
        .finally(() => underWay.delete(paid));
      underWay.add(paid);
    },
    ended: () => Promise.all(underWay),
  };
}
