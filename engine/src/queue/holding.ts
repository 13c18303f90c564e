import { OperatingError } from '../platform/errors.js';
import type { Lease, Messages } from './postgres-messages.js';

/** Messages in hand, whose lease is renewed until they are let go. */
export type Held = { lease: Lease; release(): void };

// A handler that needs longer than 30 leases (two and a half minutes) is taken for stuck, and its messages go to another.
const renewalsMax = 90;
const renewalsPerLease = 3;

/** Renews the leases of what is in hand, within the bound. */
export function createHolding(
  messages: Messages,
  leaseMs: number,
  onError: (error: unknown) => void,
): (lease: Lease) => Held {
  return lease => {
    let renewals = 0;
    const timer = setInterval(() => {
      renewals += 1;
      if (renewals <= renewalsMax) return void messages.renew(lease).catch(onError);
      clearInterval(timer);
      onError(handlerStuck(lease.messageIds.length));
    }, leaseMs / renewalsPerLease);
    return { lease, release: () => clearInterval(timer) };
  };
}

function handlerStuck(count: number): OperatingError {
  return new OperatingError(
    'HANDLER_STUCK',
    `A batch of ${count} messages has been in hand for too long and is left to others`,
    'Find out what the worker waits for, and restart it',
  );
}
