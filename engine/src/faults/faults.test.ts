import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFaults, type Fault, type FaultPlace, InjectedFault } from './faults.js';

const forMs = 1000;
const errorAt = (place: FaultPlace, share = 1): Fault => ({ place, effect: 'error', share, forMs });
const hang: Fault = { place: 'ledger', effect: 'hang', share: 1, forMs };
const latency: Fault = { place: 'ledger', effect: 'latency', latencyMs: 100, share: 1, forMs };

describe('a fault on demand', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('costs nothing while no fault is set: the call returns no promise', () => {
    expect(createFaults({ isEnabled: true }).inject('ledger')).toBeUndefined();
  });

  it('affects only calls at its own place', async () => {
    const faults = createFaults({ isEnabled: true });
    expect(faults.set(errorAt('payment'))).toBe(true);

    expect(faults.inject('ledger')).toBeUndefined();
    await expect(faults.inject('payment')).rejects.toMatchObject({ code: 'INJECTED_FAULT', retryable: true });
  });

  it('delays calls', async () => {
    const faults = createFaults({ isEnabled: true });
    faults.set(latency);
    const call = observe(faults.inject('ledger'));

    await vi.advanceTimersByTimeAsync(99);
    expect(call.state).toBe('waits');
    await vi.advanceTimersByTimeAsync(1);
    expect(call.state).toBe('went on');
  });

  it('makes calls hang until it ends', async () => {
    const faults = createFaults({ isEnabled: true });
    faults.set(hang);
    const call = observe(faults.inject('ledger'));

    await vi.advanceTimersByTimeAsync(forMs - 1);
    expect(call.state).toBe('waits');
    await vi.advanceTimersByTimeAsync(1);
    expect(call.state).toBe('went on');
  });

  it("makes no call hang longer than 30 s or the caller's timeout", async () => {
    const faults = createFaults({ isEnabled: true });
    faults.set({ ...hang, forMs: 600_000 });
    const [patient, impatient] = [observe(faults.inject('ledger')), observe(faults.inject('ledger', 50))];

    await vi.advanceTimersByTimeAsync(50);
    expect([patient.state, impatient.state]).toEqual(['waits', 'failed']);
    await vi.advanceTimersByTimeAsync(29_950);
    expect(patient.state).toBe('failed');
  });

  it('makes a call fail at its timeout if the delay is longer', async () => {
    const faults = createFaults({ isEnabled: true });
    faults.set(latency);
    const call = observe(faults.inject('ledger', 99));

    await vi.advanceTimersByTimeAsync(99);
    expect(call.state).toBe('failed');
  });

  it('ends when its time is over', async () => {
    const faults = createFaults({ isEnabled: true });
    faults.set(errorAt('ledger'));
    expect(faults.list()).toEqual([{ ...errorAt('ledger'), remainingMs: forMs }]);

    await vi.advanceTimersByTimeAsync(forMs);

    expect(faults.list()).toEqual([]);
    expect(faults.inject('ledger')).toBeUndefined();
  });

  it('ends when it is cleared, and releases the calls that hang', async () => {
    const faults = createFaults({ isEnabled: true });
    faults.set(hang);
    faults.set(errorAt('gate'));
    const call = observe(faults.inject('ledger'));

    faults.clear('ledger');
    await vi.advanceTimersByTimeAsync(0);

    expect(call.state).toBe('went on');
    expect(faults.list().map(({ place }) => place)).toEqual(['gate']);
    faults.clear();
    expect(faults.list()).toEqual([]);
  });

  it('affects the given share of calls', async () => {
    const faults = createFaults({ isEnabled: true });
    faults.set(errorAt('ledger', 0));
    expect(faults.inject('ledger')).toBeUndefined();
    faults.set(errorAt('ledger', 0.5));

    const calls = Array.from({ length: 1000 }, () => faults.inject('ledger'));
    const met = calls.filter(call => call !== undefined);
    await Promise.allSettled(met);

    // Twelve standard deviations: chance alone fails one run in 10^30.
    expect(Math.abs(met.length - 500)).toBeLessThan(190);
  });

  it('cannot be added to 20 others', () => {
    const faults = createFaults({ isEnabled: true });
    for (let count = 1; count <= 20; count++) expect(faults.set(errorAt('ledger'))).toBe(true);

    expect(faults.isFull()).toBe(true);
    expect(faults.set(errorAt('ledger'))).toBe(false);
    faults.clear();
    expect(faults.set(errorAt('ledger'))).toBe(true);
  });

  it('cannot be set where faults are not enabled', () => {
    const faults = createFaults({ isEnabled: false });

    expect(faults.set(errorAt('ledger'))).toBe(false);
    expect(faults.inject('ledger')).toBeUndefined();
  });
});

function observe(call: Promise<void> | undefined): { state: 'not met' | 'waits' | 'went on' | 'failed' } {
  const seen: ReturnType<typeof observe> = { state: call ? 'waits' : 'not met' };
  call?.then(
    () => {
      seen.state = 'went on';
    },
    (error: unknown) => {
      expect(error).toBeInstanceOf(InjectedFault);
      seen.state = 'failed';
    },
  );
  return seen;
}
