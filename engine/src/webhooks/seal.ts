import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { OperatingError } from '../platform/errors.js';

export type Seal = {
  seal(text: string): string;
  /** @throws OperatingError SECRET_KEY_DIFFERS */
  open(sealed: string): string;
};

const algorithm = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;

/** Encrypts secrets that must be read again, so that the database and its backups do not reveal them. */
export function createSeal(secretKey: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secretKey, '', 'doorbuster webhook secrets', 32));

  function decipher(sealed: Buffer): string {
    const plain = createDecipheriv(algorithm, key, sealed.subarray(0, ivBytes));
    plain.setAuthTag(sealed.subarray(ivBytes, ivBytes + tagBytes));
    return plain.update(sealed.subarray(ivBytes + tagBytes), undefined, 'utf8') + plain.final('utf8');
  }

  return {
    seal(text) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv(algorithm, key, iv);
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64');
    },
    open(sealed) {
      try {
        return decipher(Buffer.from(sealed, 'base64'));
      } catch (cause) {
        throw new OperatingError(
          'SECRET_KEY_DIFFERS',
          "A webhook's secret cannot be read",
          "Give this process the SECRET_KEY with which it was encrypted, or rotate the webhook's secret",
          { cause },
        );
      }
    },
  };
}
