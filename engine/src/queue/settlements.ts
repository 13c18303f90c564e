import { backoffMs } from '../platform/backoff.js';
import { type ConsumeOptions, type Delivery, retryInMsMax, type Settlement } from './queue.js';

// The first failure is mostly one of the moment; a batch that has failed nine times is asked about twice a minute.
const retryBaseMs = 100;
const retryMaxMs = 30_000;

/** Has a batch handled. Never rejects: a handler that fails has the whole batch tried again. */
export async function settlementsOf(
  batch: readonly Delivery[],
  { handle, onError }: Pick<ConsumeOptions, 'handle' | 'onError'>,
): Promise<readonly Settlement[]> {
  try {
    const settlements = await handle(batch);
    check(settlements, batch.length);
    return settlements;
  } catch (error) {
    onError(error);
    return batch.map(({ deliveries }) => ({ retryInMs: backoffMs(deliveries - 1, retryBaseMs, retryMaxMs) }));
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
