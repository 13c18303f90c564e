import { afterEach, beforeEach, vi } from 'vitest';
import {
  type Charge,
  type ChargeState,
  PaymentError,
  type PaymentProvider,
} from '../../src/payments/provider.js';
import { createResilientPayments, type ResilientPaymentsOptions } from '../../src/payments/resilient.js';
import type { BreakerState } from '../../src/platform/breaker.js';

export const charge: Charge = {
  paymentId: 'p-1',
  orderId: 'o-1',
  amountMinor: 100,
  currency: 'EUR',
  method: null,
};
export const captured: ChargeState = {
  status: 'captured',
  reference: 'ch_1',
  amountMinor: 100,
  currency: 'EUR',
};
export const busy = () => new PaymentError('PROVIDER_BUSY', 'The provider answered 503');
export const refused = () => new PaymentError('PROVIDER_REFUSED', 'The provider answered 401');

const asConfigured = {
  timeoutMs: 2000,
  budgetMs: 2500,
  breaker: { failuresMax: 5, openMs: 5000 },
  inFlightMax: 200,
};

/** Time advances only when a test advances it, so that limits can be asserted to the millisecond. */
export function holdTime(): void {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

/** Resilient payments around a scripted provider; `answer` receives the number of the call. */
export function around(
  answer: (n: number) => Promise<ChargeState>,
  options: Partial<ResilientPaymentsOptions> = {},
) {
  const sent: AbortSignal[] = [];
  const states: BreakerState[] = [];
  const send = (_: Charge, signal: AbortSignal) => answer(sent.push(signal));
  const provider: PaymentProvider = {
    name: 'fake',
    needsMethod: false,
    stepMinor: () => 1,
    charge: send,
    cancel: send,
    refund: () => Promise.reject(refused()),
    readWebhook: () => undefined,
  };
  const onBreaker = (state: BreakerState) => states.push(state);
  const payments = createResilientPayments({ ...asConfigured, provider, onBreaker, ...options });
  return { payments, sent, states };
}

export function settle(work: Promise<ChargeState>): { code?: string; value?: ChargeState } {
  const outcome: { code?: string; value?: ChargeState } = {};
  work.then(
    value => {
      outcome.value = value;
    },
    error => {
      outcome.code = error instanceof PaymentError ? error.code : String(error);
    },
  );
  return outcome;
}

export async function failTimes(
  payments: ReturnType<typeof around>['payments'],
  times: number,
): Promise<void> {
  for (let i = 0; i < times; i++) {
    settle(payments.charge(charge));
    await vi.advanceTimersByTimeAsync(2500);
  }
}
