import { z } from 'zod';
import { OperatingError } from '../platform/errors.js';

export const faultPlaceSchema = z.enum(['ledger', 'payment', 'queue', 'gate']);
export type FaultPlace = z.output<typeof faultPlaceSchema>;

// A forgotten fault ends after ten minutes.
const forMsMax = 600_000;
// Longer than any timeout that a delay is meant to reach.
const latencyMsMax = 10_000;
const hangMsMax = 30_000;
const faultsMax = 20;

const common = {
  place: faultPlaceSchema,
  share: z.number().min(0).max(1).default(1).meta({ description: 'The share of calls that it affects' }),
  forMs: z.int().min(1).max(forMsMax).meta({ description: 'How long it lasts, in milliseconds' }),
};

export const faultSchema = z.discriminatedUnion('effect', [
  z.strictObject({ ...common, effect: z.literal('latency'), latencyMs: z.int().min(1).max(latencyMsMax) }),
  z.strictObject({ ...common, effect: z.enum(['error', 'hang']) }),
]);

/** Calls at a place wait, fail, or hang until the fault ends. */
export type Fault = z.output<typeof faultSchema>;

/** Thrown at a place where a fault was set on purpose. The call did nothing, so a retry is safe. */
export class InjectedFault extends OperatingError {
  constructor(place: FaultPlace) {
    super('INJECTED_FAULT', `A fault was set at the ${place}`, 'Clear it, or wait until it ends', {
      retryable: true,
    });
  }
}

export type Faults = {
  readonly isEnabled: boolean;
  /**
   * What the call at this place has to wait for first; undefined if no fault affects it. This is on the hot path: while no
   * fault is set, it creates no promise and allocates nothing.
   *
   * @param patienceMs a longer wait rejects after this time, like a call at its timeout.
   * @throws InjectedFault through the promise.
   */
  inject(place: FaultPlace, patienceMs?: number): Promise<void> | undefined;
  /** @returns false if it was not set: faults are not enabled, or there are 20 already. */
  set(fault: Fault): boolean;
  /** Ends the faults of one place, or all faults; calls that hang continue. */
  clear(place?: FaultPlace): void;
  list(): (Fault & { remainingMs: number })[];
  isFull(): boolean;
};

type ActiveFault = {
  fault: Fault;
  endsAtMs: number;
  timer: NodeJS.Timeout;
  /** Releases the calls that hang in it. */
  release: Set<() => void>;
};

/** Faults on demand, to check that the engine survives them. */
export function createFaults({ isEnabled }: { isEnabled: boolean }): Faults {
  let active: ActiveFault[] = [];

  function end(over: readonly ActiveFault[]): void {
    active = active.filter(one => !over.includes(one));
    for (const { timer, release } of over) {
      clearTimeout(timer);
      for (const letGo of release) letGo();
    }
  }

  function injectActive(place: FaultPlace, patienceMs: number): Promise<void> | undefined {
    const met = active.filter(({ fault }) => fault.place === place && Math.random() < fault.share);
    return met.length === 0 ? undefined : suffer(met, patienceMs);
  }

  return {
    isEnabled,
    inject: (place, patienceMs = hangMsMax) =>
      active.length === 0 ? undefined : injectActive(place, patienceMs),
    set(fault) {
      if (!isEnabled || active.length >= faultsMax) return false;
      const one: ActiveFault = {
        fault,
        endsAtMs: performance.now() + fault.forMs,
        timer: setTimeout(() => end([one]), fault.forMs).unref(),
        release: new Set(),
      };
      active.push(one);
      return true;
    },
    clear: place => end(active.filter(({ fault }) => place === undefined || fault.place === place)),
    list: () =>
      active.map(({ fault, endsAtMs }) => ({
        ...fault,
        remainingMs: Math.max(0, Math.round(endsAtMs - performance.now())),
      })),
    isFull: () => active.length >= faultsMax,
  };
}

/** Applies one fault after the other, in the order they were set, for at most `patienceMs`. */
async function suffer(met: readonly ActiveFault[], patienceMs: number): Promise<void> {
  const giveUpAtMs = performance.now() + patienceMs;
  for (const { fault, release } of met) {
    const leftMs = giveUpAtMs - performance.now();
    if (fault.effect === 'latency') await delay(fault.place, fault.latencyMs, leftMs);
    else if (fault.effect === 'hang') await hang(fault.place, release, Math.min(leftMs, hangMsMax));
    else throw new InjectedFault(fault.place);
  }
}

function hang(place: FaultPlace, release: Set<() => void>, patienceMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const letGo = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      release.delete(letGo);
      reject(new InjectedFault(place));
    }, patienceMs);
    release.add(letGo);
  });
}

function delay(place: FaultPlace, latencyMs: number, patienceMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    if (latencyMs <= patienceMs) setTimeout(resolve, latencyMs);
    else setTimeout(() => reject(new InjectedFault(place)), patienceMs);
  });
}
