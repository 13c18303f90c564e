import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The code of a checkout: its order's id and 128 bits that only a holder of the secret key can compute. It is derived, not
 * stored: a retry of the checkout on any node gets the same code, and a reader of the database can redeem nothing.
 */
export type CheckoutCodes = {
  codeOf(orderId: string): string;
  /** undefined for a code that was never issued. */
  orderIdOf(code: string): string | undefined;
};

/** 16 bytes of id and 16 of signature, in base64url. */
const codePattern = /^[\w-]{43}$/;

const signatureBytes = 16;

export function createCheckoutCodes(secretKey: string): CheckoutCodes {
  const sign = (id: Buffer) =>
    createHmac('sha256', secretKey).update('checkout:').update(id).digest().subarray(0, signatureBytes);
  return {
    codeOf(orderId) {
      const id = Buffer.from(orderId.replaceAll('-', ''), 'hex');
      return Buffer.concat([id, sign(id)]).toString('base64url');
    },
    orderIdOf(code) {
      if (!codePattern.test(code)) return undefined;
      const bytes = Buffer.from(code, 'base64url');
      const id = bytes.subarray(0, -signatureBytes);
      // The last character has unused bits: another spelling of the same bytes is another code, which was never issued.
      if (bytes.toString('base64url') !== code) return undefined;
      if (!timingSafeEqual(bytes.subarray(-signatureBytes), sign(id))) return undefined;
      const hex = id.toString('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
  };
}
