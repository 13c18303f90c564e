import type { Faults } from '../platform/faults.js';
import type { BatchOptions } from './batch.js';

/**
 * Lets the faults that are set at the ledger meet each batch before its statement is sent, so that nothing can have been
 * written by a batch that fails of them.
 *
 * @param deadlineMs what the oldest request of a batch may wait in all; a fault that lasts longer fails the batch, and
 * the queue answers those whose time is over.
 */
export function spoil<Request extends { receivedAtMs?: number }, Outcome>(
  decide: BatchOptions<Request, Outcome>['decide'],
  faults: Faults,
  deadlineMs: number,
): BatchOptions<Request, Outcome>['decide'] {
  return (saleId, requests) => {
    const nowMs = performance.now();
    const fault = faults.inject('ledger', deadlineMs - (nowMs - (requests[0]?.receivedAtMs ?? nowMs)));
    return fault ? fault.then(() => decide(saleId, requests)) : decide(saleId, requests);
  };
}
