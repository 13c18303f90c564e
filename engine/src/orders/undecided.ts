/**
 * How a request ends that the ledger did not decide. `overloaded` and `undecided` changed nothing. `unknown` may have: its
 * COMMIT was sent and the answer lost, and only a retry with the same id can tell.
 */
export type Undecided = { outcome: 'overloaded' | 'undecided' | 'unknown' };

export function isUndecided(outcome: { outcome: string }): outcome is Undecided {
  return outcome.outcome === 'overloaded' || outcome.outcome === 'undecided' || outcome.outcome === 'unknown';
}
