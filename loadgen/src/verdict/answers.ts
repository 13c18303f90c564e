import { isCrashRelated, type OutcomeCount, type Outcomes } from '../measure/outcomes.js';
import type { Curve } from '../overload/curve.js';
import { integer } from '../text.js';
import type { IdFindings } from '../traffic/id-tally.js';
import type { RoadFigures } from '../traffic/traffic.js';
import { type Check, check } from './check.js';

/** What a scenario can judge from the answers alone. */
export interface Facts {
  /** Due requests, sent or not. */
  readonly due: number;
  readonly outcomes: Outcomes;
  /** The same by way to buy, if there are several. */
  readonly roads: readonly RoadFigures[];
  /** The ids received; null if none were requested. */
  readonly ids: IdFindings | null;
  /** Other callers may take ids meanwhile. */
  readonly othersMayTake: boolean;
  /** Units available before the first request. */
  readonly unitsAtStart: number;
  readonly quantity: number;
  readonly refusedConnects: number;
  /** In a climb: the figures of each step. */
  readonly curve: Curve | null;
  /** The server is expected to crash: lost connections, timeouts and 503 do not count as faults. */
  readonly tolerateErrors: boolean;
}

/** Every request ended in one of the expected ways, and no connect failed. */
export function onlyExpected(facts: Facts, slugs: readonly string[]): Check {
  return judgeOthers(
    facts,
    others(facts.outcomes, slugs).map(outcome => ({ outcome, name: describe(outcome) })),
  );
}

/** The same, if the expected outcomes depend on the way to buy. */
export function onlyExpectedOnRoads(facts: Facts, slugs: Readonly<Record<string, readonly string[]>>): Check {
  const sent = facts.roads.flatMap(({ road, outcomes }) =>
    others(outcomes, slugs[road] ?? []).map(outcome => ({ outcome, name: `${road}: ${describe(outcome)}` })),
  );
  // Unsent requests belong to no way to buy.
  const unsent = facts.outcomes
    .list()
    .filter(({ slug }) => slug === 'unsent')
    .map(outcome => ({ outcome, name: describe(outcome) }));
  return judgeOthers(facts, [...sent, ...unsent]);
}

function others(outcomes: Outcomes, slugs: readonly string[]): OutcomeCount[] {
  return outcomes.list().filter(({ slug }) => !slugs.includes(slug));
}

function judgeOthers(facts: Facts, found: ReadonlyArray<{ outcome: OutcomeCount; name: string }>): Check {
  const faults = facts.tolerateErrors ? found.filter(({ outcome }) => !isCrashRelated(outcome)) : found;
  const refused = facts.refusedConnects;
  const ok = faults.length === 0 && (refused === 0 || facts.tolerateErrors);
  const named = found.map(({ name }) => name);
  if (refused > 0) named.push(`${integer(refused)} refused connects`);
  const tolerated = ok && named.length > 0 ? ' (tolerated)' : '';
  return check('only expected answers', ok, named.length === 0 ? '0 errors' : named.join(', ') + tolerated);
}

/** All units were granted, and all other requests were answered sold out. */
export function soldExactly(facts: Facts, granted = 'confirmed'): Check[] {
  const buyers = Math.min(Math.floor(facts.unitsAtStart / facts.quantity), facts.due);
  return [
    within(facts, granted, buyers, granted),
    within(facts, 'told sold out', facts.due - buyers, 'sold-out'),
  ];
}

/**
 * Each shopper bought one unit, as long as there were any. A shopper whose request got no decision may not have asked
 * again; the number may then be lower by as many, but never higher.
 */
export function soldToEach(facts: Facts, shoppers: number): Check {
  const expected = Math.min(facts.unitsAtStart, shoppers, facts.due);
  const actual = facts.outcomes.countOf('confirmed');
  const undecided = facts.outcomes.count(({ slug }) => !DECIDED.includes(slug));
  const allowance = undecided > 0 ? `, ${integer(undecided)} requests without a decision` : '';
  return check(
    'confirmed',
    actual <= expected && actual >= expected - undecided,
    `${integer(actual)} of ${integer(expected)} expected${allowance}`,
  );
}

const DECIDED = ['confirmed', 'sold-out', 'limit-reached'];

/** Every due request was granted. */
export function allGranted(facts: Facts, granted: string): Check[] {
  return [within(facts, granted, facts.due, granted)];
}

/**
 * Exactly the expected number. If errors are tolerated, it may be lower by the requests without a clear answer, but
 * never higher: each unit has one buyer, and a refused shopper cannot have bought.
 */
export function within(facts: Facts, name: string, expected: number, slug: string): Check {
  const actual = facts.outcomes.countOf(slug);
  const slack = facts.tolerateErrors ? facts.outcomes.count(isCrashRelated) : 0;
  const ok = actual >= expected - slack && actual <= expected;
  const allowance = slack > 0 ? `, ${integer(slack)} without a clear answer` : '';
  return check(name, ok, `${integer(actual)} of ${integer(expected)} expected${allowance}`);
}

function describe({ status, slug, count }: OutcomeCount): string {
  return `${integer(count)} x ${status ?? ''} ${slug}`.replace('  ', ' ');
}
