import { createHmac } from 'node:crypto';
import type { Sale } from '../catalog/sales.js';
import type { Digests } from '../ledger/request-arrays.js';

/** What is known of a purchase beside its shopper. */
export type Stated = { payment: string | undefined; address: string | undefined };

/**
 * By what the ledger counts a purchase in a sale that limits units per payment fingerprint or address. What is stated
 * beyond the sale's limits is not kept.
 *
 * @returns limit-key-required where the sale counts by something that is not known: whoever leaves it out would escape.
 */
export type DigestsOf = (sale: Sale, stated: Stated) => Digests | 'limit-key-required';

/** No promise and no digest, for the hot path. */
export function countsByDigest({ perPaymentLimit, perAddressLimit }: Sale): boolean {
  return perPaymentLimit !== null || perAddressLimit !== null;
}

/**
 * Fingerprints and addresses are people's own: the ledger keeps a keyed digest, with the sale in it, so that a row says
 * neither where somebody lives nor that the same person bought in two sales. Without the key it can not be found by trying:
 * there are only 2^32 addresses of the internet, and not many more cards.
 *
 * @param secretKey of all processes, which have to count under the same digest.
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

// 132 bits: two of a sale's millions of purchases never share one by accident.
const digestLength = 22;
