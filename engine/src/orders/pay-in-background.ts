import type { Span } from '../platform/telemetry/tracing.js';
import type { Pay } from './pay.js';

/** Pays without keeping the messages behind it waiting; what is lost or has no room is the reconciler's. */
export type PayInBackground = {
  begin(paymentId: string, span: Span | undefined): void;
  /** Waits for the payments under way. Each takes a few seconds at most; see the provider's time limits. */
  ended(): Promise<unknown>;
};

// Payments of queued orders that one worker makes side by side; the reconciler makes those beyond.
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
