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
