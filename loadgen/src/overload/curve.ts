import { LatencyRecorder } from '../measure/latency.js';

/** What was asked of the server at one rate, and what it made of it. */
export interface StepFigures {
  /** Of the rate that the server sustains. */
  readonly multiple: number;
  readonly ratePerSecond: number;
  readonly elapsedMs: number;
  readonly sent: number;
  /** Due, and not sent: no connection was free, because the server or the generator did not keep up. */
  readonly notSent: number;
  readonly confirmed: number;
  readonly refused: number;
  /** Ended in any other way. */
  readonly errors: number;
  readonly confirmedPerSecond: number;
  readonly admittedMs: Percentiles;
  readonly refusedMs: Percentiles;
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** A climb beyond what the server sustains, and back. */
export interface Curve {
  readonly ratePerSecond: number;
  /** It was measured before, not given. */
  readonly isFound: boolean;
  readonly steps: readonly StepFigures[];
  /** From the end of the climb until a second in which all was well again; null if none was. */
  readonly backToNormalS: number | null;
}

/** How the requests of one step ended. */
export interface Phase {
  readonly confirmed: number;
  readonly refused: number;
  readonly errors: number;
  readonly admitted: LatencyRecorder;
  readonly refusals: LatencyRecorder;
  /** Confirmed in each second since it began, and what ended otherwise. */
  readonly seconds: ReadonlyArray<{ readonly confirmed: number; readonly others: number }>;
}

/** Takes each ended request into the phase that is on. One phase begins when all of the one before has ended. */
export interface PhaseBook {
  begin(): Phase;
  count(status: number | null, slug: string, serviceMs: number): void;
}

const REFUSALS: readonly string[] = ['overloaded', 'rate-limited'];

export function createPhaseBook(): PhaseBook {
  let phase = emptyPhase();
  let startedAtMs = performance.now();
  return {
    begin() {
      phase = emptyPhase();
      startedAtMs = performance.now();
      return phase;
    },
    count(status, slug, serviceMs) {
      const second = Math.floor((performance.now() - startedAtMs) / 1000);
      const counts = secondAt(phase, second);
      if (status === 200 && slug === 'confirmed') {
        phase.confirmed += 1;
        counts.confirmed += 1;
        phase.admitted.record(serviceMs);
        return;
      }
      counts.others += 1;
      if (status !== null && REFUSALS.includes(slug)) {
        phase.refused += 1;
        phase.refusals.record(serviceMs);
      } else phase.errors += 1;
    },
  };
}

type Second = { confirmed: number; others: number };

function emptyPhase() {
  const seconds: Second[] = [];
  const [admitted, refusals] = [new LatencyRecorder(), new LatencyRecorder()];
  return { confirmed: 0, refused: 0, errors: 0, admitted, refusals, seconds };
}

function secondAt({ seconds }: { seconds: Second[] }, index: number): Second {
  while (seconds.length <= index) seconds.push({ confirmed: 0, others: 0 });
  return seconds[index] ?? { confirmed: 0, others: 0 };
}

/** The first second in which nearly all that was due was confirmed; null if there was none. */
export function firstNormalSecond({ seconds }: Phase, ratePerSecond: number): number | null {
  const isNormal = ({ confirmed, others }: Second) =>
    confirmed >= 0.9 * ratePerSecond && others <= 0.01 * ratePerSecond;
  const index = seconds.findIndex(isNormal);
  return index === -1 ? null : index;
}
