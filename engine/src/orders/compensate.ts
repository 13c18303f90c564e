import { compensateNext } from '../ledger/dead-letters.js';
import type { Pool } from '../platform/postgres.js';

const lettersPerRoundMax = 100;

/**
 * Takes the dead letters that nobody has compensated, oldest first: each ends its order as FAILED and gives back its
 * units and its buyer's allowance in one transaction. One that fails stays, and is taken again.
 *
 * @returns how many letters were compensated; 0 when there is nothing left to do.
 */
export function createCompensate(pool: Pool): () => Promise<number> {
  return async () => {
    let count = 0;
    while (count < lettersPerRoundMax && (await compensateNext(pool)) !== undefined) count += 1;
    return count;
  };
}
