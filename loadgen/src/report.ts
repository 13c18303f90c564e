import type { DriveResult } from './drive/drive.js';
import type { DecisionFigures } from './measure/decisions.js';
import type { LatencyMs } from './measure/latency.js';
import type { OutcomeCount } from './measure/outcomes.js';
import type { GeneratorUsage } from './measure/usage.js';
import type { Curve } from './overload/curve.js';
import type { Plan, Settings } from './scenarios/scenario.js';
import type { IdFindings } from './traffic/id-tally.js';
import type { RoadFigures, Traffic } from './traffic/traffic.js';
import type { Check } from './verdict/check.js';
import type { Damage } from './verdict/damage.js';
import type { EndCount } from './verdict/tally.js';

/**
 * The report as `--json` writes it. Within a `schema`, fields are only added. A field that changes its meaning raises
 * the number. Each name ends with the unit of its time.
 */
export interface Report {
  readonly schema: 'doorbuster-load/1';
  readonly scenario: string;
  readonly url: string;
  /** ISO 8601 time at which the first request was sent. */
  readonly startedAt: string;
  /**
   * Settings of the scenario with defaults filled in: connections, requests, durationS, units, shoppers, shares, ...
   */
  readonly settings: Settings;
  /** Each request carried a unique Idempotency-Key. */
  readonly keys: boolean;
  readonly tolerateErrors: boolean;
  /** Null in `ids` and `raw`. `unitsAtStart` are the units available before the first request. */
  readonly sale: SaleFigures | null;
  /** A signal ended the run early. */
  readonly interrupted: boolean;
  /** The run was given up because the server was unreachable for too long. */
  readonly givenUp: boolean;
  /** From the first request to the last answer. In `race`, this is how long the last shopper waited. */
  readonly elapsedMs: number;
  readonly throughput: ThroughputFigures;
  readonly latencyMs: LatencyFigures;
  /** All due requests by outcome; `status` is null if there was no answer. */
  readonly outcomes: readonly OutcomeCount[];
  /** The same by way to buy, if the scenario has several; otherwise empty. */
  readonly roads: readonly RoadReport[];
  /** The final status of granted orders, as far as the server was asked. */
  readonly ends: readonly EndCount[];
  /** Broken promises, counted; null if the server was not asked. */
  readonly damage: Damage | null;
  /** In `scale`: how fast the workers decided the accepted orders. */
  readonly decisions: DecisionFigures | null;
  /** In `overload`: the figures of each step. */
  readonly curve: Curve | null;
  /** In `ids`: the ids received. */
  readonly ids: IdFigures | null;
  readonly connections: { readonly opened: number; readonly refused: number };
  readonly verdict: Verdict;
  readonly generator: GeneratorUsage;
}

interface RoadReport {
  /** `redeem` is the purchase with the code of a checkout. In `crowd` the others are kinds of visits. */
  readonly road: string;
  readonly outcomes: readonly OutcomeCount[];
  /** From sending to answer. */
  readonly latencyMs: LatencyMs;
}

export interface IdFigures extends IdFindings {
  readonly perSecond: number;
}

export interface SaleFigures {
  readonly productId: number;
  readonly saleId: number;
  readonly unitsAtStart: number;
}

export interface ThroughputFigures {
  /** Requests sent. */
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Requests answered with any status. */
  readonly answered: number;
  readonly confirmed: number;
  readonly confirmedPerSecond: number;
  /** Checkouts that hold units, and orders accepted into the queue. */
  readonly reserved: number;
  readonly reservedPerSecond: number;
  readonly queued: number;
  readonly queuedPerSecond: number;
}

export interface LatencyFigures {
  /** From sending to answer. In a closed loop this omits the requests that a stall kept from being sent. */
  readonly service: LatencyMs;
  /** Corrected for coordinated omission: by the intended time in an open loop, by the histogram in a closed one. */
  readonly corrected: LatencyMs;
  readonly correction: 'intended-time' | 'expected-interval';
  /** Average time between two requests of one connection; null in an open loop. */
  readonly expectedIntervalMs: number | null;
}

export interface Verdict {
  /** `none` if the scenario has no verdict. `pass` and `fail` follow from the checks. */
  readonly result: 'pass' | 'fail' | 'none';
  /** The answers were compared with the server's orders. */
  readonly verified: boolean;
  readonly checks: readonly Check[];
}

/** Requests and grants, with their rates over the whole run. */
export function throughputFigures(drive: DriveResult, outcomes: readonly OutcomeCount[]): ThroughputFigures {
  const sum = (matches: (outcome: OutcomeCount) => boolean) =>
    outcomes.reduce((total, outcome) => total + (matches(outcome) ? outcome.count : 0), 0);
  const perSecond = (count: number) => (drive.elapsedMs > 0 ? (count / drive.elapsedMs) * 1000 : 0);
  const granted = (slug: string) => sum(outcome => outcome.slug === slug);
  const [confirmed, reserved, queued] = [granted('confirmed'), granted('reserved'), granted('queued')];
  return {
    requests: drive.issued,
    requestsPerSecond: perSecond(drive.issued),
    answered: sum(outcome => outcome.status !== null),
    confirmed,
    confirmedPerSecond: perSecond(confirmed),
    reserved,
    reservedPerSecond: perSecond(reserved),
    queued,
    queuedPerSecond: perSecond(queued),
  };
}

export function latencyFigures({ recorder }: Traffic, plan: Plan, drive: DriveResult): LatencyFigures {
  const service = recorder.service.summary();
  if (plan.pace.kind !== 'closed') {
    const corrected = recorder.sinceIntended.summary();
    return { service, corrected, correction: 'intended-time', expectedIntervalMs: null };
  }
  const expectedIntervalMs = (plan.connections * drive.elapsedMs) / Math.max(1, drive.issued);
  const corrected = recorder.service.corrected(expectedIntervalMs).summary();
  return { service, corrected, correction: 'expected-interval', expectedIntervalMs };
}

export function idFigures(ids: IdFindings, { elapsedMs }: DriveResult): IdFigures {
  return { ...ids, perSecond: elapsedMs > 0 ? (ids.given / elapsedMs) * 1000 : 0 };
}

export function roadReports(roads: readonly RoadFigures[]): RoadReport[] {
  return roads.map(({ road, outcomes, latency }) => ({
    road,
    outcomes: outcomes.list(),
    latencyMs: latency.summary(),
  }));
}

export function verdictOf(checks: readonly Check[], verified: boolean): Verdict {
  const result = checks.length === 0 ? 'none' : checks.every(each => each.ok) ? 'pass' : 'fail';
  return { result, verified, checks };
}
