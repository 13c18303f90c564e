import { backoffMs, endsWithin } from '../platform/backoff.js';
import { OperatingError } from '../platform/errors.js';
import { createAlarm } from './alarm.js';
import { createHolding, type Held } from './holding.js';
import type { ConsumeOptions, Consumer, Settlement } from './order-queue.js';
import type { Fetched, Lease, Messages } from './postgres-messages.js';
import { type HandleOptions, settlementsOf } from './settlements.js';

export type PostgresConsumer = Consumer & {
  /** Has it look at once whether there is something to take. */
  wake(): void;
};

/** What a fetch has come to; its failure is a value, since nobody waits for it while a batch is in hand. */
type Taken = { held: Held } | { dueInMs: number | undefined } | { error: unknown };

// Notifications are the rule; this is for those that a lost connection has swallowed.
const pollEveryMs = 1000;

/**
 * Fetches, has handled and settles, one batch after the other. While more waits than a batch, the next one is fetched and
 * the last one settled while this one is handled; the handler is given one at a time all the same.
 */
export function startPostgresConsumer(
  messages: Messages,
  leaseMs: number,
  options: ConsumeOptions & HandleOptions,
): PostgresConsumer {
  const { onError, batchMax } = options;
  const alarm = createAlarm();
  const fetch = createFetch(messages, batchMax);
  const hold = createHolding(messages, leaseMs, onError);
  let isStopping = false;
  let requestStop = () => {};
  const stopRequested = new Promise<void>(resolve => {
    requestStop = resolve;
  });
  const ended = consumeUntilStopped();

  async function consumeUntilStopped(): Promise<void> {
    let ahead: Promise<Taken> | undefined;
    let settled = Promise.resolve();
    for (let failures = 0; !isStopping; ) {
      const taken = await (ahead ?? take());
      // An empty fetch that was made ahead is old news by now.
      const isOld = ahead !== undefined && !('held' in taken);
      ahead = undefined;
      failures = 'error' in taken ? failures + 1 : 0;
      if (isOld) continue;
      if (!('held' in taken)) {
        await rest(taken, failures);
        continue;
      }
      const { lease, release } = taken.held;
      if (lease.messageIds.length === batchMax) ahead = take();
      const settlements = await settlementsOf(lease.deliveries, options);
      release();
      // One settlement under way at most, so that a slow database slows the consumer down.
      await settled;
      settled = settle(lease, settlements);
    }
    await settled;
    if (ahead) await giveBack(await ahead);
  }

  async function take(): Promise<Taken> {
    try {
      const fetched = await fetch();
      return 'lease' in fetched ? { held: hold(fetched.lease) } : fetched;
    } catch (error) {
      onError(error);
      return { error };
    }
  }

  async function rest(taken: Exclude<Taken, { held: Held }>, failures: number): Promise<void> {
    if ('error' in taken) await endsWithin(stopRequested, backoffMs(failures - 1, 50, 1000));
    else await alarm.wait(Math.min(taken.dueInMs ?? pollEveryMs, pollEveryMs));
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

  // Others need not wait for a lease that nobody will work under.
  async function giveBack(taken: Taken): Promise<void> {
    if (!('held' in taken)) return;
    const { lease, release } = taken.held;
    release();
    await settle(
      lease,
      lease.messageIds.map(() => ({ laterInMs: 0 })),
    );
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
 * Each fetch begins where the last one ended, and one a second from the very beginning (lease-messages.sql says why).
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

function leaseLost(count: number): OperatingError {
  return new OperatingError(
    'LEASE_LOST',
    `${count} messages were taken by another consumer before they were settled`,
    'Nothing is lost, each comes again; if this goes on, take fewer messages in a batch',
    { retryable: true },
  );
}
