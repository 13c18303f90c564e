import { hash, timingSafeEqual } from 'node:crypto';

/**
 * Finds which of several secrets a text is, in the same time for every text of its length. Only digests are kept, so a
 * memory dump reveals no secret. A text of another length is never hashed: the length of a random secret reveals
 * nothing, and this way a shopper's token costs no hash. One-shot hash() to hex and back takes 0.5 µs a check,
 * createHash() 1.3 µs.
 *
 * @returns the position of the secret, or -1.
 */
export function createSecretCheck(secrets: readonly string[]): (text: string) => number {
  const known = secrets.map(digestOf);
  const lengths = new Set(secrets.map(({ length }) => length));
  return text => {
    if (!lengths.has(text.length)) return -1;
    const digest = digestOf(text);
    let position = -1;
    for (const [candidate, expected] of known.entries()) {
      if (timingSafeEqual(digest, expected)) position = candidate;
    }
    return position;
  };
}

function digestOf(text: string): Buffer {
  return Buffer.from(hash('sha256', text), 'latin1');
}
