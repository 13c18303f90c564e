import { backoffMs, endsWithin } from '../platform/backoff.js';
import { OperatingError } from '../platform/errors.js';
import { createAlarm } from './alarm.js';
import type { Fetched, Lease, Messages } from './postgres-messages.js';
import type { ConsumeOptions, Consumer, Settlement } from './queue.js';
import { settlementsOf } from './settlements.js';

export type PostgresConsumer = Consumer & {
  /** Has it look at once whether there is something to take. */
  wake(): void;
};

// Notifications are the rule; this is for those that a lost connection has swallowed.
const pollEveryMs = 1000;
// A handler that needs longer than 30 leases (15 minutes) is taken for stuck, and its messages go to another.
const renewalsMax = 90;
const renewalsPerLease = 3;

/** Fetches, has handled and settles, one batch after the other, while each settlement overlaps with the next fetch. */
export function startPostgresConsumer(
  messages: Messages,
  leaseMs: number,
  options: ConsumeOptions,
): PostgresConsumer {
  const { onError } = options;
  const alarm = createAlarm();
  const fetch = createFetch(messages, options.batchMax);
  let isStopping = false;
  let requestStop = () => {};
  const stopRequested = new Promise<void>(resolve => {
    requestStop = resolve;
  });
  const ended = consumeUntilStopped();

  async function consumeUntilStopped(): Promise<void> {
    let settled = Promise.resolve();
    for (let failures = 0; !isStopping; ) {
      try {
        const fetched = await fetch();
        failures = 0;
        if ('lease' in fetched) {
          const { lease } = fetched;
          const settlements = await holding(messages, lease, leaseMs, onError, () =>
            settlementsOf(lease.deliveries, options),
          );
          // One settlement under way at most, so that a slow database slows the consumer down.
          await settled;
          settled = settle(lease, settlements);
        } else await alarm.wait(Math.min(fetched.dueInMs ?? pollEveryMs, pollEveryMs));
      } catch (error) {
        onError(error);
        await endsWithin(stopRequested, backoffMs(failures, 50, 1000));
        failures += 1;
      }
    }
    await settled;
  }

  /** Never rejects. What can not be settled before its lease ends comes again, which is promised anyhow. */
  async function settle(lease: Lease, settlements: readonly Settlement[]): Promise<void> {
    const giveUpAtMs = performance.now() + leaseMs;
    for (let failures = 0; ; failures++) {
      try {
        const settledCount = await messages.settle(lease, settlements);
        // After a failure, what is missing may have been settled by the try whose reply was lost.
        if (failures === 0 && settledCount < settlements.length) {
          onError(leaseLost(settlements.length - settledCount));
        }
        if (settlements.some(settlement => settlement !== 'done')) alarm.raise();
        return;
      } catch (error) {
        onError(error);
        if (isStopping || performance.now() > giveUpAtMs) return;
        await endsWithin(stopRequested, backoffMs(failures, 50, 1000));
      }
    }
  }

  return {
    wake: alarm.raise,
    stop() {
      isStopping = true;
      requestStop();
      alarm.raise();
      return ended;
    },
  };
}

/**
 * Each fetch begins where the last one ended, and one a second from the very beginning (fetch-messages.sql says why).
 * With 200,000 dead entries that no vacuum may remove, a fetch from the beginning took 39 ms and this one 16 ms.
 */
function createFetch(messages: Messages, batchMax: number): () => Promise<Fetched> {
  let from: Date | undefined;
  let sweepAtMs = Number.NEGATIVE_INFINITY;
  return async () => {
    const sentAtMs = performance.now();
    const isSweep = sentAtMs >= sweepAtMs;
    const fetched = await messages.fetch(batchMax, isSweep ? undefined : from);
    // However slow sweeps become, they take no more than a tenth of the time.
    const tookMs = performance.now() - sentAtMs;
    if (isSweep) sweepAtMs = sentAtMs + Math.max(pollEveryMs, 10 * tookMs);
    if ('lease' in fetched) from = fetched.lease.lastAvailableAt;
    return fetched;
  };
}

/** Renews the lease for as long as the work takes, within the bound. */
async function holding<T>(
  messages: Messages,
  lease: Lease,
  leaseMs: number,
  onError: (error: unknown) => void,
  work: () => Promise<T>,
): Promise<T> {
  let renewals = 0;
  const timer = setInterval(() => {
    renewals += 1;
    if (renewals <= renewalsMax) return void messages.renew(lease).catch(onError);
    clearInterval(timer);
    onError(handlerStuck(lease.messageIds.length));
  }, leaseMs / renewalsPerLease);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

function leaseLost(count: number): OperatingError {
  return new OperatingError(
    'LEASE_LOST',
    `${count} messages were taken by another consumer before they were settled`,
    'Nothing is lost, each comes again; if this goes on, take fewer messages in a batch',
    { retryable: true },
  );
}

function handlerStuck(count: number): OperatingError {
  return new OperatingError(
    'HANDLER_STUCK',
    `A batch of ${count} messages has been in hand for too long and is left to others`,
    'Find out what the worker waits for, and restart it',
  );
}
