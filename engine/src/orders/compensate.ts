import { compensateLetter, findNewLetters } from '../ledger/dead-letters.js';
import { eachItem } from '../platform/jobs/each-item.js';
import type { Run } from '../platform/jobs/job.js';
import type { Pool } from '../platform/postgres.js';

/**
 * Compensates dead letters: each ends its order as FAILED and returns its units and its buyer's allowance in one
 * transaction.
 */
export function createCompensate(pool: Pool): Run {
  return eachItem({
    kind: 'dead letter',
    keyOf: (letterId: number) => letterId,
    find: (except, limit) => findNewLetters(pool, except, limit),
    // Each waits at most a second for a locked sale, so that new letters of other sales are handled within 20 s.
    roundMax: 20,
    work: async letterId => ((await compensateLetter(pool, letterId)) ? 1 : 0),
  });
}
