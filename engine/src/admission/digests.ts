import { createHmac } from 'node:crypto';
import type { Sale } from '../catalog/sales.js';
import type { Digests } from '../ledger/request-arrays.js';

/** What is known about a purchase besides its shopper. */
export type Stated = { payment: string | undefined; address: string | undefined };

/**
 * The digests under which the ledger counts a purchase in a sale that limits units per payment fingerprint or address.
 * Values that the sale does not limit are not kept.
 *
 * @returns limit-key-required if the sale counts by a value that is missing: otherwise, omitting it would evade the
 * limit.
 */
export type DigestsOf = (sale: Sale, stated: Stated) => Digests | 'limit-key-required';

/** Needs no promise and no digest, for the hot path. */
export function countsByDigest({ perPaymentLimit, perAddressLimit }: Sale): boolean {
  return perPaymentLimit !== null || perAddressLimit !== null;
}

/**
 * Fingerprints and addresses are personal data. The ledger keeps only a keyed digest that includes the sale, so a row
 * reveals neither where a shopper lives nor that the same shopper bought in two sales. Without the key, an attacker
 * could try every value: there are only 2^32 internet addresses, and not many more cards.
 *
 * @param secretKey shared by all processes, which must count under the same digest.
 */
export function createDigests(secretKey: string): DigestsOf {
  const key = createHmac('sha256', secretKey).update('limit-keys').digest();
  const digest = (saleId: number, kind: keyof Stated, text: string) =>
    createHmac('sha256', key).update(`${kind}:${saleId}:${text}`).digest('base64url').slice(0, digestLength);

  return ({ saleId, perPaymentLimit, perAddressLimit }, { payment, address }) => {
    if (perPaymentLimit !== null && payment === undefined) return 'limit-key-required';
    if (perAddressLimit !== null && address === undefined) return 'limit-key-required';
    const of = (limit: number | null, kind: keyof Stated, text: string | undefined) =>
      limit === null || text === undefined ? null : digest(saleId, kind, text);
    return {
      payment: of(perPaymentLimit, 'payment', payment),
      address: of(perAddressLimit, 'address', address),
    };
  };
}

// 132 bits: two of a sale's millions of purchases never collide by accident.
const digestLength = 22;
