import type { ListedOrder } from '../contract/shop.js';
import type { FollowUps } from '../drive/drive.js';
import { LatencyRecorder } from '../measure/latency.js';
import { Outcomes } from '../measure/outcomes.js';
import type { Recorder } from '../measure/recorder.js';
import type { IdTally } from './id-tally.js';

/** The requests of a run, and the meaning of their answers. */
export interface Traffic {
  readonly recorder: Recorder;
  write(ordinal: number): string;
  readonly followUps: FollowUps | null;
  /** The figures of each way to buy; empty if there is only one. */
  readonly roads: readonly RoadFigures[];
  /** The ids received; null if none were requested. */
  readonly ids: IdTally | null;
}

/** For requests to buy, also what the verdict checks afterwards. */
export interface OrderTraffic extends Traffic {
  shopperId(ordinal: number): string;
  /** How request `ordinal` was granted its order, as named in the report. */
  roadOf(ordinal: number): string;
  /** Whether the order granted to request `ordinal` may be listed in this state after the run. */
  isLegalEnd(ordinal: number, order: ListedOrder): boolean;
  /** Units promised for good. More than there were means oversold, whatever the server lists. */
  readonly unitsPromised: number;
  /** Units that may have been returned after the last refusal, so that they may rightly be left. */
  readonly unitsBackLate: number;
  /** Requests that may have created an order although none was answered. */
  readonly unknown: number;
}

/** Figures of one way to buy, or of one kind of visit. */
export interface RoadFigures {
  readonly road: string;
  readonly outcomes: Outcomes;
  readonly latency: LatencyRecorder;
}

/** Empty figures. */
export function emptyFigures(road: string): RoadFigures {
  return { road, outcomes: new Outcomes(), latency: new LatencyRecorder() };
}
