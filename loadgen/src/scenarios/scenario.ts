import type { Entrance } from '../contract/road.js';
import type { Climb, OpenPace, Pace } from '../drive/pace.js';
import type { IdRequests } from '../traffic/ids.js';
import type { Crowd } from '../traffic/kinds.js';
import type { Mix, Shares } from '../traffic/mix.js';
import type { Facts } from '../verdict/answers.js';
import type { Check } from '../verdict/check.js';

/** A numeric setting of the command line. */
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

/** Any setting. */
export type SettingName = NumberName | 'shares';

export type Settings = Readonly<Partial<Record<NumberName, number> & { shares: Shares }>>;

/**
 * A scenario is a description: which requests to send, at what pace, and which result is right. It performs nothing
 * itself. To add one, write it beside the others and list it in catalogue.ts.
 */
export interface Scenario {
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  /** Settings it takes, with their defaults. */
  readonly defaults: Settings;
  /** Settings it also takes but that have no default. `requests` alone replaces a default `durationS`. */
  readonly optional: readonly SettingName[];
  plan(settings: Settings): Plan;
  /** The checks of the answers. verdict/verify checks the ledger in the same way for all scenarios. */
  judge(facts: Facts, settings: Settings): Check[];
}

export interface Plan {
  readonly connections: number;
  readonly pace: Pace | Climb;
  /** The sale to create for this run; null for a bare handler without sales. */
  readonly sale: WantedSale | null;
  /**
   * The way to buy for all requests, their spread over several ways to buy, the kinds of visitors, or the ids to
   * request.
   */
  readonly roads: Entrance | Mix | Crowd | IdRequests;
  /**
   * What to wait for after the last answer: `ends` until no order is queued or reserved, `decisions` until as many
   * units are sold as orders were accepted.
   */
  readonly settling: 'nothing' | 'ends' | 'decisions';
  /** The shopper who sends request `ordinal`. */
  shopperOf(ordinal: number): number;
}

export interface WantedSale {
  readonly allocation: number;
  readonly perUserLimit: number;
  /** Defaults to the engine's own. */
  readonly holdTtlSeconds?: number;
}

export const QUANTITY = 1;

/** A setting that has a default in the scenario, so it is always present. */
export function setting<Name extends SettingName>(
  settings: Settings,
  name: Name,
): NonNullable<Settings[Name]> {
  const value = settings[name];
  if (value === undefined) throw new Error(`The scenario declares no setting ${name}.`);
  return value;
}

/** Each request comes from a different shopper. */
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
