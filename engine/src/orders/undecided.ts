/**
 * The outcome of a request that the ledger did not decide. `overloaded` and `undecided` changed nothing. `unknown` may
 * have: its COMMIT was sent and the answer was lost, and only a retry with the same id shows the result.
 */
export type Undecided = { outcome: 'overloaded' | 'undecided' | 'unknown' };

export function isUndecided(outcome: { outcome: string }): outcome is Undecided {
  return outcome.outcome === 'overloaded' || outcome.outcome === 'undecided' || outcome.outcome === 'unknown';
}
