import { z } from 'zod';
import { OperatingError } from '../platform/errors.js';

export const faultPlaceSchema = z.enum(['ledger', 'payment', 'queue', 'gate']);
export type FaultPlace = z.output<typeof faultPlaceSchema>;

// A fault that somebody forgets is over after ten minutes.
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

/** What a call meets where a fault was set on purpose. Nothing was done, so that trying again is safe. */
export class InjectedFault extends OperatingError {
  constructor(place: FaultPlace) {
    super('INJECTED_FAULT', `A fault was set at the ${place}`, 'It ends by itself, or clear it', {
      retryable: true,
    });
  }
}

export type Faults = {
  readonly isEnabled: boolean;
  /**
   * What the call at this place has to go through first; undefined when no fault meets it. Stands on the hot path: while
   * nothing is set there is no promise and no allocation.
   *
   * @param patienceMs a wait that lasts longer is given up, as a call is at its timeout: it rejects then.
   * @throws InjectedFault through the promise.
   */
  inject(place: FaultPlace, patienceMs?: number): Promise<void> | undefined;
  /** @returns false if it was not set: faults are not enabled, or there are 20 already. */
  set(fault: Fault): boolean;
  /** Ends the faults of a place, or all; calls that hang go on. */
  clear(place?: FaultPlace): void;
  list(): (Fault & { remainingMs: number })[];
  isFull(): boolean;
};

type ActiveFault = {
  fault: Fault;
  endsAtMs: number;
  timer: NodeJS.Timeout;
  /** Lets go of the calls that hang in it. */
  release: Set<() => void>;
};

/** Faults on demand, to see that the engine survives them. */
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

/** One fault after the other, in the order they were set, as long as patience lasts. */
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
