import { describe, expect, it, vi } from 'vitest';
import {
  around,
  busy,
  captured,
  charge,
  holdTime,
  refused,
  settle,
} from '../../test/support/resilient-rig.js';
import type { ChargeState } from './provider.js';

holdTime();

describe('a payment', () => {
  it('ends with its budget, even if the provider hangs and ignores the abort signal', async () => {
    const { payments, sent } = around(() => new Promise(() => {}));
    const outcome = settle(payments.charge(charge));
    await vi.advanceTimersByTimeAsync(2499);
    expect(outcome.code).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(outcome.code).toBe('PROVIDER_TIMEOUT');
    expect(sent.map(({ aborted }) => aborted)).not.toContain(false);
  });

  it('makes no call after its budget has ended, even if a retry was waiting', async () => {
    const { payments, sent } = around(() => new Promise(() => {}), { timeoutMs: 2499 });
    const outcome = settle(payments.charge(charge));
    await vi.advanceTimersByTimeAsync(2500);
    expect(outcome.code).toBe('PROVIDER_TIMEOUT');
    const sentInTime = sent.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toHaveLength(sentInTime);
  });

  it('aborts a call at timeoutMs and retries it', async () => {
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
  it('repeat temporary failures, up to four tries', async () => {
    const recovering = around(n => (n < 4 ? Promise.reject(busy()) : Promise.resolve(captured)));
    const failing = around(() => Promise.reject(busy()));
    const outcomes = [settle(recovering.payments.charge(charge)), settle(failing.payments.charge(charge))];
    await vi.advanceTimersByTimeAsync(2500);
    expect(outcomes).toMatchObject([{ value: captured }, { code: 'PROVIDER_BUSY' }]);
    expect([recovering.sent.length, failing.sent.length]).toEqual([4, 4]);
  });

  it('do not follow a permanent failure', async () => {
    const { payments, sent } = around(() => Promise.reject(refused()));
    await expect(payments.charge(charge)).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
      retryable: false,
    });
    expect(sent).toHaveLength(1);
  });

  it('never replace the error of a try that may have taken the money with a later refusal', async () => {
    const { payments } = around(n => Promise.reject(n === 1 ? busy() : refused()));
    const outcome = settle(payments.charge(charge));
    await vi.advanceTimersByTimeAsync(2500);
    expect(outcome.code).toBe('PROVIDER_BUSY');
  });
});

describe('payments in flight', () => {
  it('are bounded: a further payment is refused unsent, and a place is free again when one ends', async () => {
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
  it('are sent when a place is free', async () => {
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

  it('time out at the end of their budget', async () => {
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
