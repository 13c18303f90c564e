import type { FastifyRequest } from 'fastify';
import type { Stated } from '../../admission/digests.js';
import { ProblemError } from '../answers/send-problem.js';
import type { Caller } from '../identity/identity.js';
import { addressKeyOf } from '../limits/client-address.js';

type Said = { paymentFingerprint?: string | undefined; addressKey?: string | undefined };

/**
 * Only the shop's own server may set the values by which a purchase is counted; a shopper would send different ones each
 * time.
 *
 * @throws ProblemError invalid
 */
export function checkMayState(caller: Caller, { paymentFingerprint, addressKey }: Said): void {
  if (caller.kind === 'service' || (paymentFingerprint === undefined && addressKey === undefined)) return;
  const field = paymentFingerprint === undefined ? 'addressKey' : 'paymentFingerprint';
  throw new ProblemError('invalid', `${field}: only calls with the API key may state it`);
}

/**
 * What a purchase counts under in a sale with such limits. If shoppers call directly, the engine knows the address of
 * the call, and no payment fingerprint.
 */
export function statedBy(request: FastifyRequest, caller: Caller, said: Said): Stated {
  if (caller.kind === 'service') return { payment: said.paymentFingerprint, address: said.addressKey };
  return { payment: undefined, address: addressKeyOf(request) };
}
