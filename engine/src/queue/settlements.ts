import { backoffMs } from '../platform/backoff.js';
import { withHooks } from '../platform/hooks.js';
import {
  type ConsumeOptions,
  type Delivery,
  type QueueHooks,
  retryInMsMax,
  type Settlement,
} from './order-queue.js';

// The first failure is mostly one of the moment; a batch that has failed nine times is asked about twice a minute.
const retryBaseMs = 100;
const retryMaxMs = 30_000;

// For a batch that its handler was never given.
const againInMs = 500;

export type HandleOptions = Pick<ConsumeOptions, 'handle' | 'onError'> & {
  hooks?: QueueHooks['handling'];
};

/** Has a batch handled. Never rejects: a handler that fails has the whole batch tried again. */
export async function settlementsOf(
  batch: readonly Delivery[],
  { handle, onError, hooks = [] }: HandleOptions,
): Promise<readonly Settlement[]> {
  let isHandled = false;
  try {
    return await withHooks(hooks, batch, async deliveries => {
      isHandled = true;
      const settlements = await handle(deliveries);
      check(settlements, batch.length);
      return settlements;
    });
  } catch (error) {
    onError(error);
    return batch.map(({ deliveries }) =>
      isHandled
        ? { retryInMs: backoffMs(deliveries - 1, retryBaseMs, retryMaxMs) }
        : { laterInMs: againInMs },
    );
  }
}

function check(settlements: readonly Settlement[], expected: number): void {
  if (settlements.length !== expected) {
    throw new RangeError(`the handler answered ${settlements.length} settlements for ${expected} deliveries`);
  }
  for (const settlement of settlements) {
    if (settlement === 'done') continue;
    const delayMs = delayMsOf(settlement);
    if (!(delayMs >= 0 && delayMs <= retryInMsMax)) {
      throw new RangeError(`the handler asked for a retry in ${delayMs} ms, not in 0 to ${retryInMsMax}`);
    }
  }
}

export function delayMsOf(settlement: Exclude<Settlement, 'done'>): number {
  return 'retryInMs' in settlement ? settlement.retryInMs : settlement.laterInMs;
}
