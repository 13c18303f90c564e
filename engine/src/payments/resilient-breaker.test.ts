import { describe, expect, it, vi } from 'vitest';
import {
  around,
  busy,
  captured,
  charge,
  failTimes,
  holdTime,
  refused,
  settle,
} from '../../test/support/resilient-rig.js';
import { type ChargeState, PaymentError } from './provider.js';

holdTime();

describe('the breaker', () => {
  it('opens after five failures in a row, then refuses payments without a call', async () => {
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

  it('sends one probe after openMs, refuses other payments meanwhile, and closes if the probe succeeds', async () => {
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

  it('does not count throttled calls, however many', async () => {
    const throttled = () => new PaymentError('PROVIDER_THROTTLED', 'The provider answered 409');
    const { payments, sent, states } = around(() => Promise.reject(throttled()));
    await failTimes(payments, 20);
    expect(sent).toHaveLength(80);
    expect(states).toEqual([]);
  });

  it('does not count a payment that timed out early because it had waited for a place', async () => {
    const slow = () => new Promise<ChargeState>(resolve => setTimeout(resolve, 1900, captured));
    const { payments, states } = around(slow, { inFlightMax: 1, waitingMax: 10 });
    const outcomes = Array.from({ length: 10 }, () => settle(payments.charge(charge)));
    await vi.advanceTimersByTimeAsync(5000);
    expect(outcomes.filter(({ code }) => code === 'PROVIDER_TIMEOUT')).toHaveLength(9);
    expect(states).toEqual([]);
  });

  it('opens again if its probe gets no answer, however little time the probe had', async () => {
    const { payments, states } = around(n => (n <= 5 ? Promise.reject(busy()) : new Promise(() => {})), {
      timeoutMs: 60_000,
      breaker: { failuresMax: 5, openMs: 100 },
    });
    await failTimes(payments, 3);
    expect(states).toEqual(['open', 'half-open', 'open']);
  });

  it('does not count refusals or declined charges', async () => {
    const declined: ChargeState = { status: 'declined', reference: null, reason: 'insufficient funds' };
    const refusing = around(() => Promise.reject(refused()));
    await failTimes(refusing.payments, 20);
    const declining = around(() => Promise.resolve(declined));
    for (let i = 0; i < 20; i++) await declining.payments.charge(charge);
    expect([refusing.states, declining.states]).toEqual([[], []]);
  });

  it('stays closed if a success interrupts the failures', async () => {
    const { payments, states } = around(n =>
      n % 5 === 0 ? Promise.resolve(captured) : Promise.reject(busy()),
    );
    for (let i = 0; i < 10; i++) await failTimes(payments, 1);
    expect(states).toEqual([]);
  });
});
