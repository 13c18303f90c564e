import { backoffMs } from '../platform/backoff.js';
import { withHooks } from '../platform/hooks.js';
import {
  type ConsumeOptions,
  type Delivery,
  type QueueHooks,
  retryInMsMax,
  type Settlement,
} from './order-queue.js';

// The first failure is mostly temporary; a batch that has failed nine times is retried twice a minute.
const retryBaseMs = 100;
const retryMaxMs = 30_000;

// For a batch that its handler never got.
const againInMs = 500;

export type HandleOptions = Pick<ConsumeOptions, 'handle' | 'onError'> & {
  hooks?: QueueHooks['handling'];
};

/** Calls the handler with a batch. Never rejects: if the handler fails, the whole batch is retried. */
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
    throw new RangeError(`the handler returned ${settlements.length} settlements for ${expected} deliveries`);
  }
  for (const settlement of settlements) {
    if (settlement === 'done') continue;
    const delayMs = delayMsOf(settlement);
    if (!(delayMs >= 0 && delayMs <= retryInMsMax)) {
      throw new RangeError(`the handler requested a retry in ${delayMs} ms; expected 0 to ${retryInMsMax}`);
    }
  }
}

export function delayMsOf(settlement: Exclude<Settlement, 'done'>): number {
  return 'retryInMs' in settlement ? settlement.retryInMs : settlement.laterInMs;
}
