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
 * The report as `--json` writes it. Fields are only ever added within a `schema`; a field that changes its meaning
 * raises the number. Times are in the unit that ends the name.
 */
export interface Report {
  readonly schema: 'doorbuster-load/1';
  readonly scenario: string;
  readonly url: string;
  /** ISO 8601, when the first request was sent. */
  readonly startedAt: string;
  /** Settings of the scenario, defaults filled in: connections, requests, durationS, units, shoppers, shares, ... */
  readonly settings: Settings;
  /** Each request carried a unique Idempotency-Key. */
  readonly keys: boolean;
  readonly tolerateErrors: boolean;
  /** Null in `ids` and `raw`. `unitsAtStart` is what was available before the first request. */
  readonly sale: SaleFigures | null;
  /** A signal ended the run early. */
  readonly interrupted: boolean;
  /** The server was unreachable for so long that the run was given up. */
  readonly givenUp: boolean;
  /** From the first request to the last answer: in `race`, how long the last shopper waited. */
  readonly elapsedMs: number;
  readonly throughput: ThroughputFigures;
  readonly latencyMs: LatencyFigures;
  /** Every request that was due, by what became of it; `status` null when there was no answer. */
  readonly outcomes: readonly OutcomeCount[];
  /** The same by road, where the scenario has several; empty otherwise. */
  readonly roads: readonly RoadReport[];
  /** What became of the orders that were granted, as far as the server was asked. */
  readonly ends: readonly EndCount[];
  /** What was found wrong, counted; null where the server was not asked. */
  readonly damage: Damage | null;
  /** In `scale`: how fast the workers decided what was accepted. */
  readonly decisions: DecisionFigures | null;
  /** In `overload`: what each step came to. */
  readonly curve: Curve | null;
  /** In `ids`: what was given out. */
  readonly ids: IdFigures | null;
  readonly connections: { readonly opened: number; readonly refused: number };
  readonly verdict: Verdict;
  readonly generator: GeneratorUsage;
}

interface RoadReport {
  /** `redeem` is the purchase with the code of a checkout; in `crowd` the others are kinds of visits. */
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
  /** Checkouts that hold units, and orders that were accepted into the queue. */
  readonly reserved: number;
  readonly reservedPerSecond: number;
  readonly queued: number;
  readonly queuedPerSecond: number;
}

export interface LatencyFigures {
  /** From sending to answer. In a closed loop it hides the requests that a stall kept from being sent. */
  readonly service: LatencyMs;
  /** Free of coordinated omission: from the intended time in an open loop, corrected by the histogram in a closed one. */
  readonly corrected: LatencyMs;
  readonly correction: 'intended-time' | 'expected-interval';
  /** Time between two requests of one connection, on average; null in an open loop. */
  readonly expectedIntervalMs: number | null;
}

export interface Verdict {
  /** `none` when the scenario has no verdict; `pass` and `fail` are told from the checks. */
  readonly result: 'pass' | 'fail' | 'none';
  /** The answers were held against the orders of the server. */
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
