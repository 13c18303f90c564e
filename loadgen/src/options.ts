import type { Target } from './http/target.js';
import type { Scenario, Settings } from './scenarios/scenario.js';

/** A run as it was asked for: checked, with defaults filled in. */
export interface Options {
  readonly scenario: Scenario;
  readonly settings: Settings;
  /** Where the run is prepared and verified: the first of those that are loaded. */
  readonly target: Target;
  readonly targets: readonly [Target, ...Target[]];
  /** Where to POST to instead of the road's own path; null for that. */
  readonly path: string | null;
  readonly apiKey: string | null;
  readonly operatorToken: string | null;
  /** An existing product with an open sale; null to make one for this run. */
  readonly productId: number | null;
  readonly jsonFile: string | null;
  readonly journalFile: string | null;
  readonly keys: boolean;
  readonly verify: boolean;
  readonly tolerateErrors: boolean;
  readonly quiet: boolean;
  readonly requestTimeoutMs: number;
  readonly reconnectLimitMs: number;
  /** How long the server's own audit may go on to find a breach before it counts. */
  readonly auditPatienceMs: number;
  /** How long orders may stay undecided, and holds open, after the last answer. */
  readonly settlePatienceMs: number;
}
