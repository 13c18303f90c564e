import { OperatingError } from '../platform/errors.js';
import type { Lease, Messages } from './postgres-messages.js';

/** Fetched messages whose lease is renewed until they are released. */
export type Held = { lease: Lease; release(): void };

// A handler that needs longer than 30 leases (two and a half minutes) counts as stuck; other consumers get its messages.
const renewalsMax = 90;
const renewalsPerLease = 3;

/** Renews the leases of fetched messages, up to the bound. */
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
    `A batch of ${count} messages took too long, and their lease is no longer renewed`,
    'Find out what the worker is waiting for, and restart it',
  );
}
