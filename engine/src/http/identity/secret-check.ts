import { hash, timingSafeEqual } from 'node:crypto';

/**
 * Finds which of several secrets a text is. Apart from texts that were found before, this takes the same time for every
 * text of its length. A text of another length is never hashed: the length of a random secret reveals nothing, and so a
 * shopper's token costs no hash. One-shot hash() to hex and back takes 0.5 µs a check, createHash() 1.3 µs.
 *
 * @returns the position of the secret, or -1.
 */
export function createSecretCheck(secrets: readonly string[]): (text: string) => number {
  const known = secrets.map(digestOf);
  const lengths = new Set(secrets.map(({ length }) => length));
  // The shop's server shows the same key with every purchase. A Map compares a hash of the whole text first, so the time
  // of a look-up does not tell how much of a guess is right.
  const found = new Map<string, number>();

  function find(text: string): number {
    const digest = digestOf(text);
    let position = -1;
    for (const [candidate, expected] of known.entries()) {
      if (timingSafeEqual(digest, expected)) position = candidate;
    }
    if (position >= 0) found.set(text, position);
    return position;
  }

  return text => (lengths.has(text.length) ? (found.get(text) ?? find(text)) : -1);
}

function digestOf(text: string): Buffer {
  return Buffer.from(hash('sha256', text), 'latin1');
}
