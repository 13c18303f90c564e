import { countsByDigest, type DigestsOf } from '../../admission/digests.js';
import { asksForProof, type ProofRefusal, type Proofs } from '../../admission/proofs/proofs.js';
import type { Sale } from '../../catalog/sales.js';
import type { Entrance } from '../../ledger/order-record.js';
import type { Digests } from '../../ledger/request-arrays.js';
import type { Payments } from '../../payments/resilient.js';
import { statedBy } from './limit-keys.js';
import type { Visit } from './visit.js';

export type AskOfBuyerParts = {
  proofs: Pick<Proofs, 'refusalOf'>;
  digestsOf: DigestsOf;
  payments: Pick<Payments, 'needsMethod'>;
};

/** What the sale requires and the request lacks. */
export type Missing = ProofRefusal | 'limit-key-required' | 'payment-method-required';
/** What the request lacks, or the digests that it is counted by. */
export type Shown = { missing?: Missing | undefined; digests?: Digests | undefined };

/**
 * Checks what some sales require besides the purchase itself: limit keys, a payment method, proof of work, or a token
 * from an earlier sign-up. Most sales require nothing, and then no promise is made.
 */
export function createAskOfBuyer({ proofs, digestsOf, payments }: AskOfBuyerParts, entrance: Entrance) {
  const needsMethod = payments.needsMethod && entrance !== 'checkout';

  return (sale: Sale, visit: Visit, orderId: string): Shown | Promise<Shown> => {
    const { request, caller, body, shopperId } = visit;
    const digests = countsByDigest(sale) ? digestsOf(sale, statedBy(request, caller, body)) : undefined;
    if (digests === 'limit-key-required') return { missing: digests };
    if (needsMethod && body.paymentMethod === undefined && isPaid(sale)) {
      return { missing: 'payment-method-required', digests };
    }
    if (!asksForProof(sale)) return { digests };
    const { challenge, token } = body;
    return proofs
      .refusalOf(sale, { shopperId, orderId, challenge, token })
      .then(missing => ({ missing, digests }));
  };
}

function isPaid({ payment, priceMinor }: Sale): boolean {
  return payment === 'required' && priceMinor > 0;
}
