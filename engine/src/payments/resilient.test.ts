import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BreakerState } from '../platform/breaker.js';
import { type Charge, type ChargeState, PaymentError, type PaymentProvider } from './provider.js';
import { createResilientPayments, type ResilientPaymentsOptions } from './resilient.js';

const charge: Charge = { paymentId: 'p-1', orderId: 'o-1', amountMinor: 100, currency: 'EUR', method: null };
const captured: ChargeState = { status: 'captured', reference: 'ch_1', amountMinor: 100, currency: 'EUR' };
const busy = () => new PaymentError('PROVIDER_BUSY', 'The provider answered 503');
const refused = () => new PaymentError('PROVIDER_REFUSED', 'The provider answered 401');

const asConfigured = {
  timeoutMs: 2000,
  budgetMs: 2500,
  breaker: { failuresMax: 5, openMs: 5000 },
  inFlightMax: 200,
};

// Time stands still but for what a test lets pass, so that limits can be asserted to the millisecond.
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('time', () => {
  it('settles at the end of the budget when the provider hangs and ignores its signal', async () => {
    const { payments, sent } = around(() => new Promise(() => {}));
    const outcome = settle(payments.charge(charge));
    await vi.advanceTimersByTimeAsync(2499);
    expect(outcome.code).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(outcome.code).toBe('PROVIDER_TIMEOUT');
    expect(sent.map(({ aborted }) => aborted)).not.toContain(false);
  });

  it('sends nothing after the budget is over, even if a retry was waiting', async () => {
    const { payments, sent } = around(() => new Promise(() => {}), { timeoutMs: 2499 });
    const outcome = settle(payments.charge(charge));
    await vi.advanceTimersByTimeAsync(2500);
    expect(outcome.code).toBe('PROVIDER_TIMEOUT');
    const sentInTime = sent.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toHaveLength(sentInTime);
  });

  it('aborts a single call at its own limit and tries again', async () => {
    const { payments, sent } = around(n => (n === 1 ? new Promise(() => {}) : Promise.resolve(captured)));
    const outcome = settle(payments.charge(charge));
    await vi.advanceTimersByTimeAsync(1999);
    expect(sent.map(({ aborted }) => aborted)).toEqual([false]);
    await vi.advanceTimersByTimeAsync(501);
    expect(outcome.value).toEqual(captured);
    expect(sent).toHaveLength(2);
  });
});

describe('retries', () => {
  it('repeat what may pass, four tries at most', async () => {
    const recovering = around(n => (n < 4 ? Promise.reject(busy()) : Promise.resolve(captured)));
    const failing = around(() => Promise.reject(busy()));
    const outcomes = [settle(recovering.payments.charge(charge)), settle(failing.payments.charge(charge))];
    await vi.advanceTimersByTimeAsync(2500);
    expect(outcomes).toMatchObject([{ value: captured }, { code: 'PROVIDER_BUSY' }]);
    expect([recovering.sent.length, failing.sent.length]).toEqual([4, 4]);
  });

  it('leave alone what would fail again, at once', async () => {
    const { payments, sent } = around(() => Promise.reject(refused()));
    await expect(payments.charge(charge)).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
      retryable: false,
    });
    expect(sent).toHaveLength(1);
  });

  it('do not let a refusal hide that an earlier try may have taken the money', async () => {
    const { payments } = around(n => Promise.reject(n === 1 ? busy() : refused()));
    const outcome = settle(payments.charge(charge));
    await vi.advanceTimersByTimeAsync(2500);
    expect(outcome.code).toBe('PROVIDER_BUSY');
  });
});

describe('the breaker', () => {
  it('opens after five failures in a row, then refuses without a call', async () => {
    const { payments, sent, states } = around(() => Promise.reject(busy()));
    await failTimes(payments, 2);
    expect(sent).toHaveLength(5);
    expect(states).toEqual(['open']);
    expect(payments.breakerState()).toBe('open');
    await expect(payments.charge(charge)).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      retryable: true,
    });
    expect(sent).toHaveLength(5);
  });

  it('sends one probe when its time has come, refuses others meanwhile, and closes if it succeeds', async () => {
    let finishProbe: (state: ChargeState) => void = () => {};
    const { payments, sent, states } = around(n => {
      if (n <= 5) return Promise.reject(busy());
      return n > 6 ? Promise.resolve(captured) : new Promise(resolve => (finishProbe = resolve));
    });
    await failTimes(payments, 2);
    await vi.advanceTimersByTimeAsync(5000);
    const probe = payments.charge(charge);
    await vi.advanceTimersByTimeAsync(0);
    expect(payments.breakerState()).toBe('half-open');
    await expect(payments.charge(charge)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    expect(sent).toHaveLength(6);
    finishProbe(captured);
    expect(await probe).toEqual(captured);
    expect(await payments.charge(charge)).toEqual(captured);
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });

  it('opens again if the probe fails', async () => {
    const { payments, sent, states } = around(() => Promise.reject(busy()));
    await failTimes(payments, 2);
    await vi.advanceTimersByTimeAsync(5000);
    await failTimes(payments, 1);
    expect(sent).toHaveLength(6);
    expect(states).toEqual(['open', 'half-open', 'open']);
  });

  it('counts neither a key that is in use nor calls that came too often, however many', async () => {
    const throttled = () => new PaymentError('PROVIDER_THROTTLED', 'The provider answered 409');
    const { payments, sent, states } = around(() => Promise.reject(throttled()));
    await failTimes(payments, 20);
    expect(sent).toHaveLength(80);
    expect(states).toEqual([]);
  });

  it('counts no payment whose time was over before the provider had its own: it had waited for a place', async () => {
    const slow = () => new Promise<ChargeState>(resolve => setTimeout(resolve, 1900, captured));
    const { payments, states } = around(slow, { inFlightMax: 1, waitingMax: 10 });
    const outcomes = Array.from({ length: 10 }, () => settle(payments.charge(charge)));
    await vi.advanceTimersByTimeAsync(5000);
    expect(outcomes.filter(({ code }) => code === 'PROVIDER_TIMEOUT')).toHaveLength(9);
    expect(states).toEqual([]);
  });

  it('stays open when its probe hears nothing, however little time that had', async () => {
    const { payments, states } = around(n => (n <= 5 ? Promise.reject(busy()) : new Promise(() => {})), {
      timeoutMs: 60_000,
      breaker: { failuresMax: 5, openMs: 100 },
    });
    await failTimes(payments, 3);
    expect(states).toEqual(['open', 'half-open', 'open']);
  });

  it('counts neither refusals nor declined charges', async () => {
    const declined: ChargeState = { status: 'declined', reference: null, reason: 'insufficient funds' };
    const refusing = around(() => Promise.reject(refused()));
    await failTimes(refusing.payments, 20);
    const declining = around(() => Promise.resolve(declined));
    for (let i = 0; i < 20; i++) await declining.payments.charge(charge);
    expect([refusing.states, declining.states]).toEqual([[], []]);
  });

  it('is closed by a success in between', async () => {
    const { payments, states } = around(n =>
      n % 5 === 0 ? Promise.resolve(captured) : Promise.reject(busy()),
    );
    for (let i = 0; i < 10; i++) await failTimes(payments, 1);
    expect(states).toEqual([]);
  });
});

describe('payments under way', () => {
  it('are bounded: one more is refused unsent, and a place is free again when one ends', async () => {
    const { payments, sent } = around(() => new Promise(() => {}), { inFlightMax: 3, waitingMax: 0 });
    const outcomes = [1, 2, 3].map(() => settle(payments.charge(charge)));
    await expect(payments.charge(charge)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    expect(sent).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(2500);
    expect(outcomes.map(({ code }) => code)).toEqual(Array(3).fill('PROVIDER_TIMEOUT'));
    await vi.advanceTimersByTimeAsync(5000);
    const sentBefore = sent.length;
    settle(payments.charge(charge));
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toHaveLength(sentBefore + 1);
  });
});

describe('payments that wait for a place', () => {
  it('are sent when one is free', async () => {
    const answers: ((state: ChargeState) => void)[] = [];
    const { payments, sent } = around(() => new Promise(resolve => answers.push(resolve)), {
      inFlightMax: 1,
      waitingMax: 1,
    });
    const first = payments.charge(charge);
    const second = payments.charge(charge);
    await vi.advanceTimersByTimeAsync(10);
    expect(sent).toHaveLength(1);
    answers[0]?.({ status: 'canceled', reference: null });
    await first;
    await vi.advanceTimersByTimeAsync(10);
    expect(sent).toHaveLength(2);
    answers[1]?.({ status: 'canceled', reference: null });
    expect(await second).toEqual({ status: 'canceled', reference: null });
  });

  it('are given up at the end of their budget', async () => {
    const { payments } = around(() => new Promise(() => {}), {
      inFlightMax: 1,
      waitingMax: 1,
      timeoutMs: 60_000,
    });
    const outcomes = [settle(payments.charge(charge)), settle(payments.charge(charge))];
    await vi.advanceTimersByTimeAsync(2500);
    expect(outcomes.map(({ code }) => code)).toEqual(['PROVIDER_TIMEOUT', 'PROVIDER_TIMEOUT']);
  });
});

/** Resilient payments around a provider that does as it is told; `answer` is given the number of the call. */
function around(
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

function settle(work: Promise<ChargeState>): { code?: string; value?: ChargeState } {
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

async function failTimes(payments: ReturnType<typeof around>['payments'], times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    settle(payments.charge(charge));
    await vi.advanceTimersByTimeAsync(2500);
  }
}
