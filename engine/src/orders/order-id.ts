import { hash, randomFillSync } from 'node:crypto';
import { V7Generator } from 'uuidv7';

/**
 * The id of an intent's order. With a key it is derived from (shopper, key): a retry on any node, by any way to buy, is
 * the same order, and no shopper can reach another's order by guessing keys. The result is then a UUID of version 8
 * (RFC 9562, section 5.8) over SHA-256; without a key it is a UUIDv7.
 */
export function orderIdOf(shopperId: string, idempotencyKey: string | undefined): string {
  if (idempotencyKey === undefined) return generator.generate().toString();
  // The length keeps ("ab", "c") apart from ("a", "bc").
  const digest = hash('sha256', `${shopperId.length}:${shopperId}:${idempotencyKey}`);
  const variant = variants[digest.charCodeAt(16) & 3];
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}

const variants = ['8', '9', 'a', 'b'];

// The library's own random source asks the system for 32 bytes at a time, which took 2 % of the hot path.
const randomWords = new Uint32Array(1024);
let randomWordsUsed = randomWords.length;

const generator = new V7Generator({
  nextUint32() {
    if (randomWordsUsed === randomWords.length) {
      randomFillSync(randomWords);
      randomWordsUsed = 0;
    }
    return randomWords[randomWordsUsed++] ?? 0;
  },
});
