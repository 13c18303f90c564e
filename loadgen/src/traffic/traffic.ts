import type { ListedOrder } from '../contract/shop.js';
import type { FollowUps } from '../drive/drive.js';
import { LatencyRecorder } from '../measure/latency.js';
import { Outcomes } from '../measure/outcomes.js';
import type { Recorder } from '../measure/recorder.js';
import type { IdTally } from './id-tally.js';

/** What a run sends, and what it takes the answers for. */
export interface Traffic {
  readonly recorder: Recorder;
  write(ordinal: number): string;
  readonly followUps: FollowUps | null;
  /** What was seen on each road; empty where there is only one. */
  readonly roads: readonly RoadFigures[];
  /** The ids that were given, where ids were asked for. */
  readonly ids: IdTally | null;
}

/** Of requests to buy also what the run holds the server to afterwards. */
export interface OrderTraffic extends Traffic {
  shopperId(ordinal: number): string;
  /** The road on which the order was granted to request `ordinal`, as the report names it. */
  roadOf(ordinal: number): string;
  /** Whether the order that was granted to request `ordinal` may be as the server lists it, after the run. */
  isLegalEnd(ordinal: number, order: ListedOrder): boolean;
  /** Units that were promised for good: more than there were is oversold, whatever the server lists. */
  readonly unitsPromised: number;
  /** Units that may have come back when the last refusal was already given, so that they are rightly left. */
  readonly unitsBackLate: number;
  /** Requests that may have made an order though none was answered. */
  readonly unknown: number;
}

/** Of a road, or of one kind of visit. */
export interface RoadFigures {
  readonly road: string;
  readonly outcomes: Outcomes;
  readonly latency: LatencyRecorder;
}

/** Nothing seen yet. */
export function emptyFigures(road: string): RoadFigures {
  return { road, outcomes: new Outcomes(), latency: new LatencyRecorder() };
}
