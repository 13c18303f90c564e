import type { Faults } from '../platform/faults.js';
import type { Decide } from './decide.js';

/**
 * Lets the faults that are set at the ledger meet each batch before its statement is sent, so that nothing can have been
 * written by a batch that fails of them.
 *
 * @param deadlineMs what the oldest request of a batch may wait in all; a fault that lasts longer fails the batch, and
 * the queue answers those whose time is over.
 */
export function spoilDecide(decide: Decide, faults: Faults, deadlineMs: number): Decide {
  return (saleId, requests) => {
    const waitedMs = performance.now() - (requests[0]?.receivedAtMs ?? 0);
    const fault = faults.inject('ledger', deadlineMs - waitedMs);
    return fault ? fault.then(() => decide(saleId, requests)) : decide(saleId, requests);
  };
}
