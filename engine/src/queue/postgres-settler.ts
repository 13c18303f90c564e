import { backoffMs, pause } from '../platform/backoff.js';
import { OperatingError } from '../platform/errors.js';
import type { Settlement } from './order-queue.js';
import type { Lease, Messages } from './postgres-messages.js';

/** Stores the settlements of leased messages. Never rejects: if a lease ends first, its messages are redelivered. */
export type LeaseSettler = {
  settle(lease: Lease, settlements: readonly Settlement[]): Promise<void>;
  /** Ends a lease whose messages were not handled, so that other consumers need not wait for its end. */
  giveBack(lease: Lease): Promise<void>;
};

export type LeaseSettlerOptions = {
  messages: Messages;
  leaseMs: number;
  /** Once it aborts, failures are not retried. */
  stopping: AbortSignal;
  /** Called when messages were put back into the queue. */
  onReturned: () => void;
  onError: (error: unknown) => void;
};

export function createLeaseSettler(options: LeaseSettlerOptions): LeaseSettler {
  const { messages, leaseMs, stopping, onReturned, onError } = options;

  async function settle(lease: Lease, settlements: readonly Settlement[]): Promise<void> {
    const giveUpAtMs = performance.now() + leaseMs;
    for (let failures = 0; ; failures++) {
      try {
        const settledCount = await messages.settle(lease, settlements);
        // After a failure, the missing messages may have been settled by the try whose reply was lost.
        if (failures === 0 && settledCount < settlements.length) {
          onError(leaseLost(settlements.length - settledCount));
        }
        if (settlements.some(settlement => settlement !== 'done')) onReturned();
        return;
      } catch (error) {
        onError(error);
        if (stopping.aborted || performance.now() > giveUpAtMs) return;
        await pause(backoffMs(failures, 50, 1000), stopping);
      }
    }
  }

  return {
    settle,
    giveBack: lease =>
      settle(
        lease,
        lease.messageIds.map(() => ({ laterInMs: 0 })),
      ),
  };
}

function leaseLost(count: number): OperatingError {
  return new OperatingError(
    'LEASE_LOST',
    `${count} messages were taken by another consumer before they were settled`,
    'Nothing is lost, because each is redelivered; if this continues, use smaller batches',
    { retryable: true },
  );
}
