import type { Target } from './http/target.js';
import type { Scenario, Settings } from './scenarios/scenario.js';

/** The options of a run: checked, with defaults filled in. */
export interface Options {
  readonly scenario: Scenario;
  readonly settings: Settings;
  /** The server on which the run is prepared and verified: the first of the targets. */
  readonly target: Target;
  readonly targets: readonly [Target, ...Target[]];
  /** A path to POST to; null for the usual one. */
  readonly path: string | null;
  readonly apiKey: string | null;
  /** Header lines of shoppers who take the place of the API key; null for the API key. */
  readonly callers: readonly string[] | null;
  readonly operatorToken: string | null;
  /** An existing product with an open sale; null to create one for this run. */
  readonly productId: number | null;
  readonly jsonFile: string | null;
  readonly journalFile: string | null;
  readonly keys: boolean;
  readonly verify: boolean;
  readonly tolerateErrors: boolean;
  readonly quiet: boolean;
  readonly requestTimeoutMs: number;
  readonly reconnectLimitMs: number;
  /** How long the server's audit may report a breach before it counts. */
  readonly auditPatienceMs: number;
  /** How long after the last answer orders may stay undecided and holds open. */
  readonly settlePatienceMs: number;
}
