import type { Entrance } from '../contract/road.js';
import type { Climb, OpenPace, Pace } from '../drive/pace.js';
import type { IdRequests } from '../traffic/ids.js';
import type { Crowd } from '../traffic/kinds.js';
import type { Mix, Shares } from '../traffic/mix.js';
import type { Facts } from '../verdict/answers.js';
import type { Check } from '../verdict/check.js';

/** A number that a scenario can be given on the command line. */
export type NumberName =
  | 'shoppers'
  | 'visitors'
  | 'units'
  | 'purchases'
  | 'requests'
  | 'orders'
  | 'connections'
  | 'durationS'
  | 'ratePerSecond'
  | 'abandonPercent'
  | 'holdS'
  | 'singlesPercent'
  | 'batchSize';

/** Anything that it can be given. */
export type SettingName = NumberName | 'shares';

export type Settings = Readonly<Partial<Record<NumberName, number> & { shares: Shares }>>;

/**
 * A scenario is a description: what is asked for, how often, and when the result is right. It performs nothing itself.
 * To add one, write it beside the others and name it in catalogue.ts.
 */
export interface Scenario {
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  /** Settings it takes, with their defaults. */
  readonly defaults: Settings;
  /** Settings it also takes, which have no default. `requests` alone replaces a default `durationS`. */
  readonly optional: readonly SettingName[];
  plan(settings: Settings): Plan;
  /** What the answers prove. The ledger is checked for all scenarios alike, by verdict/verify. */
  judge(facts: Facts, settings: Settings): Check[];
}

export interface Plan {
  readonly connections: number;
  readonly pace: Pace | Climb;
  /** The sale to make for this run; null for a bare handler that knows no sales. */
  readonly sale: WantedSale | null;
  /** The road on which all come, how they spread over the roads or what kinds they are, or that they ask for ids instead. */
  readonly roads: Entrance | Mix | Crowd | IdRequests;
  /**
   * What is awaited after the last answer: that nothing is queued or reserved any more, or that as many units are sold as
   * orders were accepted.
   */
  readonly settling: 'nothing' | 'ends' | 'decisions';
  /** The shopper who sends request `ordinal`. */
  shopperOf(ordinal: number): number;
}

export interface WantedSale {
  readonly allocation: number;
  readonly perUserLimit: number;
  /** Left out, the engine's own. */
  readonly holdTtlSeconds?: number;
}

export const QUANTITY = 1;

/** A setting that the scenario gives a default to, so it is there. */
export function setting<Name extends SettingName>(
  settings: Settings,
  name: Name,
): NonNullable<Settings[Name]> {
  const value = settings[name];
  if (value === undefined) throw new Error(`The scenario declares no setting ${name}.`);
  return value;
}

/** Each request comes from a shopper of its own. */
export function uniqueShopper(ordinal: number): number {
  return ordinal;
}

/** Arrivals at `ratePerSecond` for `durationS`, whatever the server does. */
export function openPace(settings: Settings): OpenPace {
  const ratePerSecond = setting(settings, 'ratePerSecond');
  return { kind: 'open', ratePerSecond, durationMs: setting(settings, 'durationS') * 1000 };
}

/** A closed loop that ends by `requests`, by `durationS`, or by the first of both. */
export function closedPace({ requests, durationS }: Settings): Pace {
  return {
    kind: 'closed',
    requestsMax: requests ?? null,
    durationMs: durationS === undefined ? null : durationS * 1000,
  };
}
