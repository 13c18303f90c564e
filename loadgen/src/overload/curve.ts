import { LatencyRecorder } from '../measure/latency.js';

/** The load offered to the server at one rate, and its result. */
export interface StepFigures {
  /** Multiple of the rate that the server sustains. */
  readonly multiple: number;
  readonly ratePerSecond: number;
  readonly elapsedMs: number;
  readonly sent: number;
  /** Due, but not sent: no connection was free, because the server or the generator did not keep up. */
  readonly notSent: number;
  readonly confirmed: number;
  readonly refused: number;
  /** Requests that ended in any other way. */
  readonly errors: number;
  readonly confirmedPerSecond: number;
  readonly admittedMs: Percentiles;
  readonly refusedMs: Percentiles;
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** A climb beyond the rate that the server sustains, and back. */
export interface Curve {
  readonly ratePerSecond: number;
  /** True if the rate was measured, false if it was given. */
  readonly isFound: boolean;
  readonly steps: readonly StepFigures[];
  /** Seconds from the end of the climb to the end of the first normal second; null if there was none. */
  readonly backToNormalS: number | null;
}

/** The outcomes of the requests of one step. */
export interface Phase {
  readonly confirmed: number;
  readonly refused: number;
  readonly errors: number;
  readonly admitted: LatencyRecorder;
  readonly refusals: LatencyRecorder;
  /** For each second since the phase began: requests confirmed, and requests that ended otherwise. */
  readonly seconds: ReadonlyArray<{ readonly confirmed: number; readonly others: number }>;
}

/** Records each finished request in the current phase. A phase begins after the previous one has ended completely. */
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

/** The first second in which nearly all due requests were confirmed; null if there was none. */
export function firstNormalSecond({ seconds }: Phase, ratePerSecond: number): number | null {
  const isNormal = ({ confirmed, others }: Second) =>
    confirmed >= 0.9 * ratePerSecond && others <= 0.01 * ratePerSecond;
  const index = seconds.findIndex(isNormal);
  return index === -1 ? null : index;
}
