import { createHmac, timingSafeEqual } from 'node:crypto';

/** Proves that its shopper came before the sale opened. Derived, not stored: a second request gets the same token. */
export type PurchaseTokens = {
  tokenOf(saleId: number, shopperId: string): string;
  isTokenOf(saleId: number, shopperId: string, token: string): boolean;
};

/** @param secretKey shared by all processes, so that each recognises the tokens of the others. */
export function createPurchaseTokens(secretKey: string): PurchaseTokens {
  const digest = (saleId: number, shopperId: string) =>
    createHmac('sha256', secretKey).update(`purchase-token:${saleId}:${shopperId}`).digest();
  return {
    tokenOf: (saleId, shopperId) => digest(saleId, shopperId).toString('base64url'),
    isTokenOf(saleId, shopperId, token) {
      const bytes = Buffer.from(token, 'base64url');
      const expected = digest(saleId, shopperId);
      return bytes.length === expected.length && timingSafeEqual(bytes, expected);
    },
  };
}
